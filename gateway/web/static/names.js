/** What people call a device or a load: the word for its kind, with its own name where two share the word. */

import { say } from "./words.js";

/** Labels of a list of {name, kind, role}, in its order. */
export function labels(rows) {
  const words = rows.map(({ kind, role }) => say(kind ? `load.${kind}` : `device.${role}`));
  return words.map((word, index) => (words.filter((each) => each === word).length > 1 ? `${word} (${rows[index].name})` : word));
}
