/** The last hours: asks the gateway for them, keeps the charts and their legend. */

import { createCharts } from "./charts.js";
import { html, setAttribute, write } from "./dom.js";
import { figure, language } from "./language.js";
import { SOURCES, USES, split } from "./stack.js";
import { say } from "./words.js";

const HOURS = [1, 6, 24];
const AGAIN_MS = { 1: 5000, 6: 20000, 24: 60000 };
const SHORT_S = 3300; // with less than this known, the finer steps of the first range show more
const LEGEND = [["from", SOURCES], ["to", USES]];

export function createTrend(find) {
  const legend = createLegend(find("trend-legend"));
  const charts = createCharts(find("trend-chart"), { onPoint: (index) => legend.show(layers, trend, index) });
  const range = createRange(find("trend-range"), choose);
  let hours = 24;
  let isChosen = false;
  let clock = null; // {serverS, at}: the gateway's time, and when it was heard
  let zone = null;
  let asked = 0;
  let trend = null;
  let layers = null;
  let hasLoads = false;

  function choose(value) {
    isChosen = true;
    hours = value;
    range.show(hours);
    ask();
  }

  async function ask() {
    asked = Date.now();
    const wanted = hours;
    try {
      const answer = await fetch(`/api/trend?hours=${wanted}`, { signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error(`history: ${answer.status}`);
      const rows = await answer.json();
      if (wanted === hours) show(rows);
    } catch {
      // Said on the page, tried again by the next tick: the chart itself tells how far it reaches.
      write(find("trend-note"), say("trend.failed"));
    }
  }

  function show(rows) {
    const known = rows.t.filter((_, index) => ["pv_w", "load_w", "battery_w", "grid_w"].some((key) => rows[key][index] !== null));
    const nowS = clock.serverS + (Date.now() - clock.at) / 1000;
    if (!isChosen && hours !== HOURS[0] && known.length > 0 && nowS - known[0] < SHORT_S) {
      hours = HOURS[0];
      range.show(hours);
      ask();
      return;
    }
    trend = rows;
    layers = split(rows, hasLoads);
    const start = Math.max(nowS - 3600 * hours, Math.min(known[0] ?? 0, nowS - 300));
    charts.show({ trend, layers, start, end: nowS, zone });
    const moment = (seconds) => new Intl.DateTimeFormat(language, { timeZone: zone, dateStyle: "short", timeStyle: "short" }).format(seconds * 1000);
    setAttribute(find("trend-chart"), "aria-label", say("trend.label", { start: moment(start), end: moment(nowS) }));
    write(find("trend-note"), say(known.length > 0 ? "trend.hint" : "trend.empty"));
  }

  range.show(hours);
  // Read aloud while somebody moves through the chart with the keys, silent at each refresh.
  find("trend-chart").addEventListener("focus", () => setAttribute(find("trend-legend"), "aria-live", "polite"));
  find("trend-chart").addEventListener("blur", () => setAttribute(find("trend-legend"), "aria-live", null));
  return {
    show(state) {
      clock = { serverS: Date.parse(state.time) / 1000, at: Date.now() };
      zone = state.site.time_zone;
      hasLoads = state.flow.loads_w !== undefined;
      legend.has("to.loads", hasLoads);
      if (asked === 0) ask();
    },
    tick(_, health) {
      if (health === "good" && clock !== null && !document.hidden && Date.now() - asked > AGAIN_MS[hours]) ask();
    },
  };
}

function createRange(group, choose) {
  const buttons = HOURS.map((hours) => html("button", { type: "button", class: "choice-item" }, say("trend.hours", { hours })));
  buttons.forEach((button, index) => button.addEventListener("click", () => choose(HOURS[index])));
  group.append(...buttons);
  return { show: (hours) => buttons.forEach((button, index) => setAttribute(button, "aria-pressed", HOURS[index] === hours)) };
}

/** Names of the layers from the line outwards, with their values at the moment pointed at or the last known one. */
function createLegend(place) {
  const values = {};
  const group = (side, heading, names) => html("div", { class: `legend-group legend-${side}` }, html("h3", {}, heading),
    html("ul", {}, ...names.map((name) => item(side, name))));
  const item = (side, name) => {
    values[`${side}.${name}`] = html("span", { class: "legend-value" });
    return html("li", { class: `role-${name}`, hidden: name === "loads" ? "" : null }, html("span", { class: "swatch", "aria-hidden": "true" }),
      html("span", {}, say(`role.${name}`)), values[`${side}.${name}`]);
  };
  const time = html("p", { class: "legend-time muted" });
  const charge = group("soc", say("soc.title"), ["battery"]);
  charge.append(time);
  place.append(...LEGEND.map(([side, names]) => group(side, say(`trend.${side}`), names)), charge);

  return {
    has(name, is) { values[name].parentElement.hidden = !is; },
    show(layers, trend, { index, time: moment }) {
      for (const [side, names] of LEGEND) {
        for (const name of names) write(values[`${side}.${name}`], figure("p_w", layers[side][name]?.[index] ?? null));
      }
      write(values["soc.battery"], figure("soc", trend.soc[index]));
      write(time, moment);
    },
  };
}
