/** Data and words of the study, and the small things that all its pictures use. */

const found = JSON.parse(document.getElementById("data").textContent);
const locale = found.language === "fr" ? "fr-FR" : "en-GB";
const SHARES = 250; // a byte of a whole storage

const find = (id) => document.getElementById(id);
const say = (key, numbers = {}) => found.words[key].replace(/\{(\w+)\}/g, (_, name) => numbers[name]);
const number = (value, decimals = 0) => new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);
const share = (value) => (value === null ? "—" : new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(value));
const euros = (value) => `${number(value, 2)}\u00a0€`;
const power = (watts) => (Math.abs(watts) < 1000 ? `${number(watts)}\u00a0W` : `${number(watts / 1000, 2)}\u00a0kW`);

const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
const shorts = (text) => new Int16Array(bytes(text).buffer);

/** An element with attributes and children. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** The same of an SVG. */
function shape(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Rows of a key: [class of the colour, class of the mark, text]. */
function keyOf(place, rows) {
  find(place).replaceChildren(...rows.map(([role, mark, told]) => element("span", { class: role }, element("i", { class: mark, "aria-hidden": "true" }), told)));
}

/** Round values that part a range into about `count` steps. */
function ticks(least, most, count) {
  const raw = Math.max(most - least, 1e-9) / count;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * size).find((each) => each >= raw);
  const rows = [];
  for (let at = Math.ceil(least / step - 1e-9) * step; at <= most + step * 1e-6; at += step) rows.push(Math.abs(at) < step * 1e-6 ? 0 : at);
  return rows;
}

/** Draws now and whenever the place gets another width. */
function whenWide(place, draw) {
  let width = 0;
  new ResizeObserver(() => {
    if (place.clientWidth === width) return;
    width = place.clientWidth;
    draw();
  }).observe(place);
}
