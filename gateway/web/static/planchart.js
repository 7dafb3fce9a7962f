/** The levels of a plan over the charge of the battery, with the price of each step as a band below them. */

import { figure, language } from "./language.js";

const uPlot = globalThis.uPlot;
const AXIS = 62; // px, as in the charts of the last hours
const BAND = 16; // px of the price band

/** `show({plan, zone})` draws; `onPoint(index)` gives the step pointed at, or the present one. */
export function createPlanChart(place, { onPoint }) {
  const style = (name) => getComputedStyle(place).getPropertyValue(name).trim();
  let shown = null;
  let chart = null;

  function build() {
    chart?.destroy();
    const { plan, zone } = shown;
    const lines = { stroke: style("--muted"), font: `12px ${style("font-family")}`, grid: { stroke: style("--line"), width: 1 }, ticks: { show: false } };
    const clock = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "fr-FR", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    chart = new uPlot({
      width: Math.max(200, place.clientWidth),
      height: 230,
      padding: [12, 10, 0, 0],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
      scales: { x: { time: true, range: () => [plan.t[0], plan.t.at(-1) + plan.step_s] }, y: { range: () => [0, 1] } },
      axes: [
        { ...lines, size: 30, gap: 4 + BAND, space: 64, values: (_, splits) => splits.map((each) => clock.format(each * 1000)) },
        { ...lines, size: AXIS, gap: 6, splits: () => [0, 0.5, 1], values: (_, splits) => splits.map((each) => figure("soc", each)) },
      ],
      series: [{}, { stroke: "transparent", points: { show: false } }],
      hooks: { setCursor: [point], draw: [(drawn) => drawPlan(drawn, plan, style)] },
    }, [plan.t, plan.expected], place);
  }

  const point = (drawn) => onPoint(Math.min(drawn.cursor.idx ?? 0, shown.plan.t.length - 1));

  function show(next) {
    const isFirst = shown === null;
    shown = next;
    build();
    point(chart);
    if (!isFirst) return;
    new ResizeObserver(() => { if (chart.width !== Math.max(200, place.clientWidth)) build(); }).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", build);
    place.addEventListener("keydown", moveByKey);
  }

  /** Arrow keys, Home and End move through the steps; Escape leaves. */
  function moveByKey(event) {
    const last = shown.plan.t.length - 1;
    const at = chart.cursor.idx ?? 0;
    const targets = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last, Escape: null };
    if (!(event.key in targets)) return;
    event.preventDefault();
    const target = targets[event.key];
    const left = target === null ? -10 : chart.valToPos(shown.plan.t[Math.min(last, Math.max(0, target))], "x");
    chart.setCursor({ left, top: target === null ? -10 : 10 });
  }

  return { show };
}

/** Areas from the floor up: what the grid fills, what is kept; from the ceiling down: what is left to the grid, what is sold. */
function drawPlan(chart, plan, style) {
  const { ctx: context, bbox } = chart;
  context.save();
  context.beginPath();
  context.rect(bbox.left, bbox.top, bbox.width, bbox.height + (BAND + 6) * devicePixelRatio);
  context.clip();
  const layers = [[plan.reserve, 0, "--battery-soft", 1], [plan.charge, 0, "--grid", 0.45], [plan.fill, 1, "--pv-soft", 1], [plan.export, 1, "--pv", 1]];
  for (const [row, edge, colour, opacity] of layers) {
    context.globalAlpha = opacity; // the expected charge stays readable above what the grid fills
    context.fillStyle = style(colour);
    context.fill(area(chart, plan, row, edge));
  }
  context.globalAlpha = 1;
  context.strokeStyle = style("--battery");
  context.lineWidth = 2 * devicePixelRatio;
  context.stroke(path(chart, plan));
  drawPrices(chart, plan, style);
  context.restore();
}

function area(chart, plan, row, edge) {
  const found = new Path2D();
  const floor = Math.round(chart.valToPos(edge, "y", true));
  row.forEach((level, index) => {
    const [left, right] = [0, 1].map((end) => Math.round(chart.valToPos(plan.t[index] + end * plan.step_s, "x", true)));
    found.rect(left, floor, right - left, Math.round(chart.valToPos(level, "y", true)) - floor);
  });
  return found;
}

/** The expected charge, with gaps where there is none. */
function path(chart, plan) {
  const found = new Path2D();
  let isDrawing = false;
  plan.expected.forEach((soc, index) => {
    const isKnown = soc !== null;
    if (isKnown) found[isDrawing ? "lineTo" : "moveTo"](chart.valToPos(plan.t[index], "x", true), chart.valToPos(soc, "y", true));
    isDrawing = isKnown;
  });
  return found;
}

/** A band below the chart, the darker the dearer. */
function drawPrices(chart, plan, style) {
  const { ctx: context, bbox } = chart;
  const [low, high] = [Math.min(...plan.buy), Math.max(...plan.buy)];
  context.fillStyle = style("--grid");
  plan.buy.forEach((buy, index) => {
    const [left, right] = [0, 1].map((end) => Math.round(chart.valToPos(plan.t[index] + end * plan.step_s, "x", true)));
    context.globalAlpha = high > low ? 0.12 + (0.78 * (buy - low)) / (high - low) : 0.3;
    context.fillRect(left, bbox.top + bbox.height + 4 * devicePixelRatio, right - left, (BAND - 4) * devicePixelRatio);
  });
  context.globalAlpha = 1;
}
