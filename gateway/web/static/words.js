/** Texts with their numbers, as gateway/words/__init__.py writes them. */

import { figure, isZero, number } from "./language.js";

const rows = JSON.parse(document.getElementById("words").textContent);
const PLACEHOLDER = /\{(\w+)(?::(\w+))?\}/g;

/** Whether there is a text of this key. */
export const knows = (key) => Object.hasOwn(rows, key);

/** The text of a key with its numbers filled in. */
export function say(key, numbers = {}) {
  if (!knows(key)) throw new Error(`no text ${key}`);
  return rows[key].replace(PLACEHOLDER, (_, name, shownAs) => shown(name, shownAs, numbers[name]));
}

function shown(name, shownAs, value) {
  if (shownAs === undefined || typeof value !== "number") return figure(name, value);
  if (shownAs === "day") return rows[`day.${Math.min(Math.max(Math.round(value), 0), 2)}`];
  const size = figure(name, Math.abs(value));
  if (shownAs === "size") return size;
  const side = isZero(name, value) ? "zero" : value > 0 ? "import" : "export";
  return rows[`${shownAs}.${side}`].replace("{power}", () => size);
}

export { figure, number };
