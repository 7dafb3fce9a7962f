/** When each load runs in the plan: a row below the chart with its powers, and why at the step pointed at. */

import { html, write } from "./dom.js";
import { figure } from "./language.js";
import { labels } from "./names.js";
import { reasonText } from "./setpoints.js";

const SMALL_W = 1;

export function createLoadRows(place) {
  let rows = [];

  return {
    /** Rows of the loads that are planned; an inverter that is not curtailed has none. */
    show(plan) {
      const loads = (plan.loads ?? []).filter((load) => load.kind !== "inverter" || load.reasons.some((each) => each.code === "load_curtail"));
      const names = labels(loads);
      rows = loads.map((load, index) => createRow(load, names[index]));
      place.replaceChildren(...rows.map((row) => row.element));
      place.hidden = rows.length === 0;
    },
    point(index) {
      for (const row of rows) row.point(index);
    },
  };
}

function createRow(load, label) {
  const power = load.kind === "inverter" ? load.reasons.map((each) => each.numbers.spilled_w ?? 0) : load.power_w;
  const value = html("span", { class: "load-row-power" });
  const reason = html("span", { class: "load-row-reason muted" });
  const track = html("div", { class: "load-row-track", "aria-hidden": "true" }, ...blocks(power));
  const element = html("li", { class: `load-row role-${load.kind === "inverter" ? "pv" : "load"}` },
    html("p", { class: "load-row-head" }, html("span", { class: "load-row-name" }, label), value), track, reason);

  return {
    element,
    point(index) {
      write(value, Math.abs(power[index]) > SMALL_W ? figure("power_w", Math.abs(power[index])) : "");
      write(reason, reasonText(load.reasons[index]));
    },
  };
}

/** One block for each stretch of equal power, the stronger the darker. */
function blocks(power) {
  const most = Math.max(...power.map(Math.abs), SMALL_W);
  const found = [];
  power.forEach((each, index) => {
    const size = Math.abs(each) / most;
    if (Math.abs(each) <= SMALL_W) return;
    const last = found.at(-1);
    if (last !== undefined && last.end === index && Math.abs(last.size - size) < 0.05) last.end = index + 1;
    else found.push({ start: index, end: index + 1, size });
  });
  return found.map(({ start, end, size }) => {
    const block = html("span", { class: "load-row-block" });
    block.style.insetInlineStart = `${(100 * start) / power.length}%`;
    block.style.inlineSize = `${(100 * (end - start)) / power.length}%`;
    block.style.opacity = (0.35 + 0.65 * size).toFixed(2);
    return block;
  });
}
