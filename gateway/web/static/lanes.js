/** When each load runs in the plan: a lane below the chart with its powers, and why at the step pointed at. */

import { html, write } from "./dom.js";
import { figure } from "./language.js";
import { labels } from "./names.js";
import { why } from "./told.js";

const SMALL_W = 1;

export function createLanes(place) {
  let lanes = [];

  return {
    /** Lanes of the loads that do or want something; an inverter that produces freely is none. */
    show(plan) {
      const rows = (plan.loads ?? []).filter((row) => row.kind !== "inverter" || row.reasons.some((each) => each.code === "load_curtail"));
      const names = labels(rows);
      lanes = rows.map((row, index) => createLane(row, names[index]));
      place.replaceChildren(...lanes.map((lane) => lane.element));
      place.hidden = lanes.length === 0;
    },
    point(index) {
      for (const lane of lanes) lane.point(index);
    },
  };
}

function createLane(row, label) {
  const power = row.kind === "inverter" ? row.reasons.map((each) => each.numbers.spilled_w ?? 0) : row.power_w;
  const value = html("span", { class: "lane-value" });
  const reason = html("span", { class: "lane-why muted" });
  const track = html("div", { class: "lane-track", "aria-hidden": "true" }, ...blocks(power));
  const element = html("li", { class: `lane role-${row.kind === "inverter" ? "pv" : "load"}` },
    html("p", { class: "lane-head" }, html("span", { class: "lane-name" }, label), value), track, reason);

  return {
    element,
    point(index) {
      write(value, Math.abs(power[index]) > SMALL_W ? figure("power_w", Math.abs(power[index])) : "");
      write(reason, why(row.reasons[index]));
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
    const block = html("span", { class: "lane-block" });
    block.style.insetInlineStart = `${(100 * start) / power.length}%`;
    block.style.inlineSize = `${(100 * (end - start)) / power.length}%`;
    block.style.opacity = (0.35 + 0.65 * size).toFixed(2);
    return block;
  });
}
