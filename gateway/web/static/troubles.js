/** What is wrong with the store and the database. */

import { knows, say } from "./words.js";

/** In words, of one family of codes: "store_" or "database_". */
export function troublesOf({ troubles = [] }, family) {
  return troubles.filter(({ code }) => code.startsWith(family))
    .map(({ code, numbers }) => (knows(`trouble.${code}`) ? say(`trouble.${code}`, numbers) : code));
}
