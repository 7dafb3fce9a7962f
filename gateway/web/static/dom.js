const SVG = "http://www.w3.org/2000/svg";

/** An HTML element with attributes and children. */
export const html = (tag, attributes, ...children) => build(document.createElement(tag), attributes, children);

/** An SVG element with attributes and children. */
export const svg = (tag, attributes, ...children) => build(document.createElementNS(SVG, tag), attributes, children);

/** An icon of the page's symbols, that of a switched load where there is none; decoration, the word stands beside it. */
export const icon = (name) => svg("svg", { class: "icon", "aria-hidden": "true" },
  svg("use", { href: `#icon-${document.getElementById(`icon-${name}`) ? name : "switchable"}` }));

/** Sets a text only when it changed, so that screen readers and the layout stay at rest. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
