/** Two charts over one time axis, drawn with uPlot: power as stacks, state of charge as an area. */

import { figure, language, number } from "./language.js";
import { drawStacks, heights, steps } from "./stack.js";

const uPlot = globalThis.uPlot;
const AXIS = 62; // px, the same for both charts, so that their times stand above each other
const LEAST_W = 500; // a quiet house does not fill the chart with noise

/**
 * `show({trend, layers, start, end, zone})` draws; `onPoint({index, time})` gives the step
 * pointed at, or the last known one.
 */
export function createCharts(place, { onPoint }) {
  const style = (name) => getComputedStyle(place).getPropertyValue(name).trim();
  const sync = uPlot.sync("hours");
  let shown = null;
  let power = null;
  let charge = null;

  function point(chart) {
    const index = chart.cursor.idx ?? shown.last;
    if (index >= 0) onPoint({ index, time: clock(shown, { dateStyle: "short", timeStyle: "medium" })(shown.trend.t[index]) });
  }

  function build() {
    power?.destroy();
    charge?.destroy();
    const size = { width: Math.max(200, place.clientWidth), height: place.clientWidth < 560 ? 250 : 330 };
    const common = {
      ...size,
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), shown.zone),
      cursor: { sync: { key: sync.key }, drag: { x: false, y: false }, y: false, points: { show: false } },
    };
    power = new uPlot({
      ...common,
      padding: [12, 10, 0, 0],
      scales: { x: { time: true, range: () => [shown.start, shown.end] }, y: { range: () => powerRange(shown) } },
      axes: [timeAxis(), { ...valueAxis(), values: (_, splits) => splits.map(axisPower) }],
      series: [{}, { stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } }],
      hooks: { setCursor: [point], draw: [(chart) => drawStacks(chart, shown, { paint: (name) => paint(chart.ctx, name, style), zeroLine: style("--text") })] },
    }, powerData(), place);
    charge = new uPlot({
      ...common,
      height: 84,
      padding: [8, 10, 6, 0],
      scales: { x: { time: true, range: () => [shown.start, shown.end] }, y: { range: () => [0, 1] } },
      axes: [{ show: false }, { ...valueAxis(), splits: () => [0, 0.5, 1], values: (_, splits) => splits.map((each) => figure("soc", each)) }],
      series: [{}, { stroke: style("--battery"), fill: style("--battery-soft"), width: 2, points: { show: false } }],
    }, [shown.trend.t, shown.trend.soc], place);
  }

  const valueAxis = () => ({ ...lines(), size: AXIS, gap: 6 });
  const timeAxis = () => ({ ...lines(), size: 30, gap: 4, space: 64, values: (_, splits) => splits.map(timeText) });
  const lines = () => ({
    stroke: style("--muted"),
    font: `12px ${style("font-family")}`,
    grid: { stroke: style("--line"), width: 1 },
    ticks: { show: false },
  });
  const timeText = (seconds) => {
    const text = clock(shown, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })(seconds);
    return text === "00:00" ? clock(shown, { weekday: "short", day: "numeric" })(seconds) : text;
  };
  const powerData = () => [shown.trend.t, shown.above, shown.below];

  function show(next) {
    const isFirst = shown === null;
    const { trend, layers } = next;
    const last = trend.t.findLastIndex((_, index) => trend.load_w[index] !== null || trend.grid_w[index] !== null);
    shown = { ...next, last, times: trend.t, lengths: steps(trend.t), above: heights(layers.from), below: heights(layers.to).map((each) => -each) };
    if (isFirst) {
      build();
      new ResizeObserver(() => { if (power.width !== Math.max(200, place.clientWidth)) build(); }).observe(place);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", build);
      listenToKeys(place, () => power, () => shown);
      point(power);
    } else {
      power.setData(powerData());
      charge.setData([trend.t, trend.soc]);
      point(power);
    }
  }

  return { show };
}

/** Arrow keys, Home and End move through the steps; Escape leaves. */
function listenToKeys(place, chartNow, shownNow) {
  place.addEventListener("keydown", (event) => {
    const [chart, times] = [chartNow(), shownNow().times];
    const last = times.length - 1;
    const at = chart.cursor.idx ?? last;
    const stride = event.shiftKey ? 10 : 1;
    const targets = { ArrowLeft: at - stride, ArrowRight: at + stride, Home: 0, End: last, Escape: null };
    if (!(event.key in targets) || last < 0) return;
    event.preventDefault();
    const target = targets[event.key];
    const left = target === null ? -10 : chart.valToPos(times[Math.min(last, Math.max(0, target))], "x");
    chart.setCursor({ left, top: target === null ? -10 : chart.over.clientHeight / 2 });
  });
}

const clock = ({ zone }, parts) => {
  const format = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "fr-FR", { timeZone: zone, ...parts });
  return (seconds) => format.format(seconds * 1000);
};

function axisPower(power) {
  const size = Math.abs(power);
  return size < 1000 ? figure("p_w", size) : `${number(size / 1000, size % 1000 === 0 ? 0 : 1)}\u00a0kW`;
}

function powerRange({ times, start, above, below }) {
  let [top, bottom] = [LEAST_W, -LEAST_W];
  times.forEach((time, index) => {
    if (time < start) return;
    top = Math.max(top, above[index]);
    bottom = Math.min(bottom, below[index]);
  });
  return [bottom * 1.08, top * 1.08];
}

/** The colour of a layer; grid and battery are textured as well, so that the layers can be told apart without colour. */
function paint(context, name, style) {
  const colour = style(["load", "loads"].includes(name) ? "--house" : `--${name}`);
  const texture = { grid: hatch, battery: dot, loads: stripe }[name];
  if (texture === undefined) return colour;
  const tile = new OffscreenCanvas(8, 8);
  const brush = tile.getContext("2d");
  brush.fillStyle = colour;
  brush.fillRect(0, 0, 8, 8);
  brush.strokeStyle = style("--card");
  brush.fillStyle = style("--card");
  brush.globalAlpha = 0.5;
  texture(brush);
  return context.createPattern(tile, "repeat");
}

function hatch(brush) {
  brush.lineWidth = 1.6;
  brush.beginPath();
  for (const shift of [-8, 0, 8]) {
    brush.moveTo(shift, 8);
    brush.lineTo(shift + 8, 0);
  }
  brush.stroke();
}

function stripe(brush) {
  brush.fillRect(0, 0, 8, 3);
}

function dot(brush) {
  brush.beginPath();
  brush.arc(2, 2, 1, 0, 7);
  brush.arc(6, 6, 1, 0, 7);
  brush.fill();
}
