/** PV, building, battery and grid, and what flows between them now. */

import { setAttribute, svg, write } from "./dom.js";
import { figure, language } from "./language.js";
import { say } from "./words.js";

const IDLE_W = 15; // below it a meter's noise would make the arrows flicker
const RADIUS = 35;
const PLACES = { pv: [180, 42], grid: [56, 190], load: [180, 190], battery: [304, 190] };
const ROLES = ["pv", "grid", "battery"]; // the ends of the three edges; the other end is always the building
const SOURCES = ["pv", "battery", "grid", "load"]; // in the order of the sentence
const USES = ["load", "battery", "grid", "pv"];

/** The diagram with the sentence below it. */
export function createFlow(find) {
  const edges = Object.fromEntries(ROLES.map((role) => [role, createEdge(role)]));
  const nodes = Object.fromEntries(Object.keys(PLACES).map((role) => [role, createNode(role)]));
  const picture = svg(
    "svg",
    { viewBox: "0 0 360 300", role: "img", class: "flow-picture" },
    ...ROLES.map((role) => edges[role].element),
    ...Object.values(nodes).map((node) => node.element),
  );
  find("flow").append(picture);
  let last = null;

  function draw(sinceS) {
    const parts = describe(last, sinceS);
    for (const role of ROLES) edges[role].show(parts[role]);
    for (const [role, node] of Object.entries(nodes)) node.show(parts[role]);
    nodes.battery.fill(last.soc);
    write(find("flow-sentence"), sentence(parts));
    const labels = Object.values(parts).map((part) =>
      say("flow.label", { role: say(`role.${part.role}`), does: part.does, power: part.figure }));
    setAttribute(picture, "aria-label", `${labels.join(". ")}.`);
  }

  return {
    show(state) { last = state; draw(0); },
    tick(sinceS) { if (last !== null) draw(sinceS); },
  };
}

/** What each of the four does: power by the sign rule, its size as text, a verb, and whether it can be believed. */
function describe(state, sinceS) {
  const parts = {};
  for (const role of Object.keys(PLACES)) {
    const power = state.flow[`${role}_w`];
    const device = role === "load" ? undefined : worst(state.devices.filter((each) => each.role === role)); // the building is no device
    const isStale = power !== null && device?.quality === "stale";
    const quality = power === null ? "absent" : isStale ? "stale" : "good";
    const loads = role === "load" ? (state.flow.loads_w ?? 0) : 0;
    if (role === "load" && state.flow.unknown) {
      parts[role] = { role, power, loads, quality: "stale", figure: size(power), does: bounds(state.flow), why: reason(role), unknown: state.flow.unknown };
      continue;
    }
    parts[role] = { role, power, loads, quality, figure: size(power), does: loads >= IDLE_W && power !== null ? say("flow.loads", { power_w: loads }) : verb(role, power, quality, device, sinceS), why: reason(role, device) };
  }
  return parts;
}

/** Between what the building lies while a part of it says nothing. */
function bounds({ load_low_w: low, load_high_w: high }) {
  if (low === null) return high === null ? say("does.absent") : say("flow.most", { high_w: high });
  return high === null ? say("flow.least", { low_w: low }) : say("flow.range", { low_w: low, high_w: high });
}

const worst = (devices) => ["absent", "stale", "assumed", "good"].map((q) => devices.find((each) => each.quality === q)).find(Boolean);
const reason = (role, device) => say(role === "load" ? "flow.part_missing" : device?.why ? `why.${device.why}` : "why.no_data");
const size = (power) => figure("p_w", power === null ? null : Math.abs(power));

function verb(role, power, quality, device, sinceS) {
  if (quality === "absent") return say("does.absent"); // the reason has no room here: the sentence gives it
  if (quality === "stale") return say("flow.old", { age_s: (device.age_s ?? 0) + sinceS });
  if (Math.abs(power) < IDLE_W && role !== "load") return say("does.zero");
  return say(`does.${role}.${power > 0 ? "positive" : "negative"}`);
}

function sentence(parts) {
  const gone = Object.values(parts).filter((part) => part.power === null && !(part.role === "load" && part.quality === "stale"));
  if (gone.length > 0) {
    const missing = gone.map((part) => say("flow.part", { role: say(`role.${part.role}`), why: part.why }));
    return say("flow.unknown", { parts: list(missing) }) + unsure(parts.load);
  }
  const flowing = (roles) => roles.map((role) => parts[role]).filter((part) => Math.abs(part.power) >= IDLE_W);
  // The building is the only one whose positive power is a use of its own; all others give when negative, but the grid.
  const gives = (part) => (part.role === "grid" ? part.power > 0 : part.power < 0);
  const sources = flowing(SOURCES).filter(gives).map((part) => say(`from.${part.role}`, { power: part.figure }));
  const uses = flowing(USES).filter((part) => !gives(part)).map((part) => say(`to.${part.role}`, { power: part.figure }));
  const { loads } = parts.load;
  if (loads >= IDLE_W) uses.splice(1, 0, say("to.loads", { power: figure("power_w", loads) }));
  if (sources.length === 0 || uses.length === 0) return say("flow.quiet") + unsure(parts.load);
  return say("flow.sentence", { sources: list(sources), uses: list(uses) }) + unsure(parts.load);
}

const unsure = ({ unknown }) => (unknown ? ` ${say("flow.unsure", { devices: list(unknown) })}` : "");

const list = (items) => new Intl.ListFormat(language, { type: "conjunction" }).format(items);

function createNode(role) {
  const [x, y] = PLACES[role];
  const level = svg("rect", { class: "node-level", x: -RADIUS, width: 2 * RADIUS, y: RADIUS, height: 0 });
  const soc = svg("text", { class: "node-soc", y: 22 });
  const value = svg("text", { class: "node-value" });
  const does = svg("text", { class: "node-does" });
  const name = svg("text", { class: "node-name" });
  name.textContent = say(`role.${role}`);
  const glyph = svg("svg", { class: "icon", x: -15, y: role === "battery" ? -24 : -15, width: 30, height: 30 },
    svg("use", { href: `#icon-${role}` }));
  const disc = svg("g", {}, svg("circle", { class: "node-disc", r: RADIUS }));
  if (role === "battery") {
    disc.append(svg("clipPath", { id: "node-clip" }, svg("circle", { r: RADIUS - 1 })),
      svg("g", { "clip-path": "url(#node-clip)" }, level));
  }
  // PV has its words beside it: below it runs the edge to the building.
  const words = role === "pv"
    ? svg("g", { class: "node-words node-beside", transform: `translate(${RADIUS + 12} -14)` }, name, value, does)
    : svg("g", { class: "node-words", transform: `translate(0 ${RADIUS + 18})` }, name, value, does);
  value.setAttribute("y", 22);
  does.setAttribute("y", 39);
  const element = svg("g", { class: `node role-${role}`, transform: `translate(${x} ${y})` },
    disc, svg("circle", { class: "node-ring", r: RADIUS }), glyph, soc, words);

  return {
    element,
    show(part) {
      setAttribute(element, "data-quality", part.quality);
      write(value, part.figure);
      write(does, part.does);
    },
    fill(fraction) {
      const height = 2 * RADIUS * Math.min(1, Math.max(0, fraction ?? 0));
      setAttribute(level, "height", height.toFixed(1));
      setAttribute(level, "y", (RADIUS - height).toFixed(1));
      write(soc, figure("soc", fraction));
    },
  };
}

function createEdge(role) {
  const track = svg("path", { class: "edge-track" });
  const dots = svg("path", { class: "edge-dots" });
  const arrow = svg("path", { class: "edge-arrow", d: "M-9 -9 L6 0 L-9 9 Z" });
  const element = svg("g", { class: `edge role-${role}` }, track, dots, arrow);

  return {
    element,
    show({ power, quality }) {
      const isFlowing = power !== null && Math.abs(power) >= IDLE_W;
      const isToBuilding = role === "grid" ? power > 0 : power < 0;
      const [from, to] = isToBuilding ? [PLACES[role], PLACES.load] : [PLACES.load, PLACES[role]];
      const line = between(from, to);
      setAttribute(track, "d", line.path);
      setAttribute(dots, "d", line.path);
      setAttribute(arrow, "transform", `translate(${line.tip}) rotate(${line.angle})`);
      setAttribute(element, "data-flow", isFlowing ? (isToBuilding ? "to-house" : "from-house") : power === null ? "unknown" : "idle");
      setAttribute(element, "data-quality", quality);
      if (isFlowing) element.style.setProperty("--pace", `${pace(Math.abs(power)).toFixed(1)}s`);
    },
  };
}

/** Seconds for one gap between dots: 2 s at rest, 0.4 s from 10 kW, in steps so that the dots do not jump each second. */
const pace = (power) => Math.max(0.4, 2 - 0.4 * Math.round(Math.log10(Math.max(power, 10) / 10) * 1.4));

function between([x1, y1], [x2, y2]) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const start = RADIUS + 8;
  const end = length - RADIUS - 12;
  const at = (distance) => `${(x1 + dx * distance).toFixed(1)} ${(y1 + dy * distance).toFixed(1)}`;
  return { path: `M${at(start)} L${at(end - 8)}`, tip: at(end), angle: (Math.atan2(dy, dx) * 180) / Math.PI };
}
