/** The history as stacked layers: sources above the line, uses below it. */

export const SOURCES = ["pv", "battery", "grid"];
export const USES = ["load", "loads", "battery", "grid"];
const SMALL_W = 15; // parts that were not measured at one moment leave so much

/**
 * Layers of a trend in W, all ≥ 0, null where nothing is known: {from: {pv, battery, grid}, to: {load, loads, battery, grid}}.
 * The grid gives when it is positive, all others when they are negative (the sign rule of the API). Planned loads, where
 * a building has them, are what the balance leaves.
 */
export function split(trend, hasLoads = false) {
  const part = (sign, row) => row.map((value) => (value === null ? null : Math.max(0, sign * value)));
  return {
    from: { pv: part(-1, trend.pv_w), battery: part(-1, trend.battery_w), grid: part(1, trend.grid_w) },
    to: { load: part(1, trend.load_w), ...(hasLoads ? { loads: plannedLoads(trend) } : {}), battery: part(1, trend.battery_w), grid: part(-1, trend.grid_w) },
  };
}

/** What of the grid's power neither PV, battery nor base load explains. */
function plannedLoads(trend) {
  return trend.grid_w.map((_, index) => {
    const [grid, ...rest] = ["grid_w", "pv_w", "battery_w", "load_w"].map((name) => trend[name][index]);
    if (grid === null || rest.includes(null)) return null;
    const power = grid - rest.reduce((sum, each) => sum + each, 0);
    return power > SMALL_W ? power : 0;
  });
}

/** Heights of the stack of some layers, one per time; what is unknown adds nothing. */
export const heights = (layers) =>
  Object.values(layers)[0].map((_, index) => Object.values(layers).reduce((sum, row) => sum + (row[index] ?? 0), 0));

/** Length in s of the step that starts at each time: to the next one, but never over a gap. */
export function steps(times) {
  const lengths = times.slice(1).map((time, index) => time - times[index]);
  const usual = lengths.length > 0 ? [...lengths].sort((a, b) => a - b)[lengths.length >> 1] : 60;
  return times.map((_, index) => Math.min(lengths[index] ?? usual, 1.5 * usual));
}

/** Draws both stacks into a chart: each value as the bar of its own step, since it is the mean over it. */
export function drawStacks(chart, { times, lengths, layers }, { paint, zeroLine }) {
  const { ctx: context, bbox } = chart;
  context.save();
  context.beginPath();
  context.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  context.clip();
  for (const [side, sign, names] of [["from", 1, SOURCES], ["to", -1, USES]]) {
    const base = new Float64Array(times.length);
    for (const name of names.filter((each) => layers[side][each] !== undefined)) {
      context.fillStyle = paint(name);
      context.fill(layer(chart, { times, lengths, row: layers[side][name], base, sign }));
    }
  }
  const zero = Math.round(chart.valToPos(0, "y", true));
  context.fillStyle = zeroLine;
  context.fillRect(bbox.left, zero - devicePixelRatio / 2, bbox.width, Math.max(1, devicePixelRatio));
  context.restore();
}

/** Path of one layer; raises the base by its row. Edges lie on whole pixels, so that neighbours leave no seam. */
function layer(chart, { times, lengths, row, base, sign }) {
  const path = new Path2D();
  const x = (time) => Math.round(chart.valToPos(time, "x", true));
  const y = (power) => Math.round(chart.valToPos(sign * power, "y", true));
  for (let index = 0; index < times.length; index += 1) {
    const power = row[index];
    if (!power) continue;
    const [left, right] = [x(times[index]), x(times[index] + lengths[index])];
    const [bottom, top] = [y(base[index]), y(base[index] + power)];
    path.rect(left, bottom, Math.max(1, right - left), top - bottom);
    base[index] += power;
  }
  return path;
}
