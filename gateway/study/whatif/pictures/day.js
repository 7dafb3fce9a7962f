/** One day: powers as stacks, and below them stored energy with the levels of the plans and the price. */

const LEVELS = ["charge", "reserve", "fill", "export"];
const DASHES = { charge: [6, 4], reserve: [2, 3], fill: [10, 4], export: [1, 4] };
const AXIS = 62; // px, the same for both charts
const BAND = 14; // px of the price

function createDay() {
  const series = found.series;
  const [load, pv, price] = [series.load, series.pv, series.price].map(shorts);
  const stored = series.sizes.map((each) => ({ power: shorts(each.power), soc: bytes(each.soc), ...Object.fromEntries(LEVELS.map((name) => [name, bytes(each[name])])) }));
  const style = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
  const sync = uPlot.sync("day");
  const zone = found.report.zone;
  const clock = new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  let shown = null;
  let charts = [];

  function sliced(day, size) {
    const [, first, count] = found.days[day];
    const own = stored[size];
    const watts = (row) => Array.from(row.subarray(first, first + count), (each) => each * series.watt);
    const shares = (row) => Array.from(row.subarray(first, first + count), (each) => each / SHARES);
    const rows = { load_w: watts(load), pv_w: watts(pv), battery_w: watts(own.power) };
    rows.grid_w = rows.load_w.map((each, i) => each + rows.pv_w[i] + rows.battery_w[i]);
    const t = rows.load_w.map((_, i) => series.start_s + (first + i) * series.step_s);
    return {
      times: t, lengths: t.map(() => series.step_s), layers: split(rows), rows, soc: shares(own.soc), price: Array.from(price.subarray(first, first + count)),
      levels: Object.fromEntries(LEVELS.map((name) => [name, shares(own[name])])), end: t.at(-1) + series.step_s,
    };
  }

  function build() {
    charts.forEach((chart) => chart.destroy());
    const width = Math.max(240, find("power").clientWidth);
    const lines = { stroke: style("--muted"), font: `12px ${getComputedStyle(document.body).fontFamily}`, grid: { stroke: style("--line"), width: 1 }, ticks: { show: false } };
    const above = heights(shown.layers.from);
    const below = heights(shown.layers.to).map((each) => -each);
    const reach = [Math.min(-500, ...below) * 1.08, Math.max(500, ...above) * 1.08];
    const common = {
      width, legend: { show: false }, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      cursor: { sync: { key: sync.key }, drag: { x: false, y: false }, y: false, points: { show: false } },
    };
    const time = { ...lines, space: 58, values: (_, splits) => splits.map((each) => clock.format(each * 1000)) };
    const range = { time: true, range: () => [shown.times[0], shown.end] };
    charts = [
      new uPlot({
        ...common, height: width < 560 ? 240 : 320, padding: [12, 22, 0, 0], scales: { x: range, y: { range: () => reach } },
        axes: [{ ...time, size: 28, gap: 4 }, { ...lines, size: AXIS, gap: 6, values: (_, splits) => splits.map((each) => `${number(Math.abs(each) / 1000, 1)}\u00a0kW`) }],
        series: [{}, { stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } }],
        hooks: { setCursor: [point], draw: [(chart) => drawStacks(chart, shown, { paint: (name) => painted(chart.ctx, name, style), zeroLine: style("--text") })] },
      }, [shown.times, above, below], find("power")),
      new uPlot({
        ...common, height: width < 560 ? 190 : 220, padding: [12, 22, 0, 0], scales: { x: range, y: { range: () => [0, 1.02] } },
        axes: [{ ...time, size: 28 + BAND, gap: 4 + BAND }, { ...lines, size: AXIS, gap: 6, splits: () => [0, 0.25, 0.5, 0.75, 1], values: (_, splits) => splits.map(share) }],
        series: [{}, { stroke: "transparent", points: { show: false } }],
        hooks: { draw: [(chart) => drawCharge(chart, shown, style)] },
      }, [shown.times, shown.soc], find("charge")),
    ];
    point(charts[0]);
  }

  function point(chart) {
    const i = Math.min(chart.cursor.idx ?? brightest(), shown.times.length - 1);
    const entry = (role, name, value) => element("li", { class: role }, element("span", { class: "swatch", "aria-hidden": "true" }), say(`page.${name}`), element("span", { class: "value" }, value));
    const plain = (name, value) => element("li", {}, say(`page.${name}`), element("span", { class: "value" }, value));
    const group = (key, ...items) => element("div", {}, element("h3", {}, key), element("ul", {}, ...items));
    const { from, to } = shown.layers;
    find("readout").replaceChildren(
      group(say("page.from"), entry("role-pv", "pv", power(from.pv[i])), entry("role-battery", "store", power(from.battery[i])), entry("role-grid", "grid", power(from.grid[i]))),
      group(say("page.to"), entry("role-load", "load", power(to.load[i])), entry("role-battery", "store", power(to.battery[i])), entry("role-grid", "grid", power(to.grid[i]))),
      group(clock.format(shown.times[i] * 1000), entry("role-battery", "stored", share(shown.soc[i])), plain("price", `${number(series.prices[shown.price[i]], 4)}\u00a0€/kWh`)),
    );
  }

  const brightest = () => shown.rows.pv_w.indexOf(Math.min(...shown.rows.pv_w));

  find("power").addEventListener("keydown", (event) => {
    const last = shown.times.length - 1;
    const at = charts[0].cursor.idx ?? brightest();
    const targets = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
    if (!(event.key in targets)) return;
    event.preventDefault();
    charts[0].setCursor({ left: charts[0].valToPos(shown.times[Math.min(last, Math.max(0, targets[event.key]))], "x"), top: 10 });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => shown && build());
  whenWide(find("power"), () => shown && build());

  return (day, size) => {
    shown = sliced(day, size);
    const told = new Intl.DateTimeFormat(locale, { timeZone: "UTC", dateStyle: "full" }).format(Date.parse(found.days[day][0]));
    find("power").setAttribute("aria-label", say("page.power_label", { day: told }));
    find("charge").setAttribute("aria-label", say("page.charge_label", { day: told }));
    build();
  };
}

/** Stored energy as an area, the levels as lines of different dashes, the price as a band below. */
function drawCharge(chart, shown, style) {
  const { ctx: context, bbox } = chart;
  const x = (time) => chart.valToPos(time, "x", true);
  const y = (value) => chart.valToPos(value, "y", true);
  const stairs = (row) => {
    const path = new Path2D();
    row.forEach((value, i) => {
      const begin = x(shown.times[i]);
      path[i === 0 ? "moveTo" : "lineTo"](begin, y(value));
      path.lineTo(x(shown.times[i] + shown.lengths[i]), y(value));
    });
    return path;
  };
  context.save();
  const area = new Path2D();
  area.moveTo(x(shown.times[0]), y(shown.soc[0]));
  shown.soc.forEach((value, i) => area.lineTo(x(shown.times[i] + shown.lengths[i]), y(value)));
  context.lineWidth = 2.5 * devicePixelRatio;
  context.strokeStyle = style("--battery");
  context.stroke(area);
  area.lineTo(x(shown.end), y(0));
  area.lineTo(x(shown.times[0]), y(0));
  context.fillStyle = style("--battery-soft");
  context.globalCompositeOperation = "destination-over";
  context.fill(area);
  context.globalCompositeOperation = "source-over";
  const colours = { charge: "--grid", reserve: "--house", fill: "--pv", export: "--muted" };
  for (const name of LEVELS) {
    context.strokeStyle = style(colours[name]);
    context.lineWidth = 1.75 * devicePixelRatio;
    context.setLineDash(DASHES[name].map((each) => each * devicePixelRatio));
    context.stroke(stairs(shown.levels[name]));
  }
  const most = found.series.prices.length - 1;
  shown.price.forEach((place, i) => {
    const left = Math.round(x(shown.times[i]));
    context.fillStyle = mixed(style("--battery"), style("--house"), most === 0 ? 0.5 : place / most, 0.4);
    context.fillRect(left, bbox.top + bbox.height + 4 * devicePixelRatio, Math.round(x(shown.times[i] + shown.lengths[i])) - left, (BAND - 4) * devicePixelRatio);
  });
  context.restore();
}

/** From the cheap to the dear colour; the dearer, the stronger. */
const mixed = (cheap, dear, at, least) => `color-mix(in srgb, color-mix(in srgb, ${dear} ${100 * at}%, ${cheap}) ${100 * (least + (1 - least) * at)}%, transparent)`;

/** The colour of a layer; grid and battery are textured as well, so that they can be told apart without colour. */
function painted(context, name, style) {
  const colour = style(name === "load" ? "--house" : `--${name}`);
  const texture = { grid: hatch, battery: dots }[name];
  if (texture === undefined) return colour;
  const tile = new OffscreenCanvas(8, 8);
  const brush = tile.getContext("2d");
  brush.fillStyle = colour;
  brush.fillRect(0, 0, 8, 8);
  brush.strokeStyle = brush.fillStyle = style("--card");
  brush.globalAlpha = 0.5;
  texture(brush);
  return context.createPattern(tile, "repeat");
}

function hatch(brush) {
  brush.lineWidth = 1.6;
  for (const shift of [-8, 0, 8]) {
    brush.beginPath();
    brush.moveTo(shift, 8);
    brush.lineTo(shift + 8, 0);
    brush.stroke();
  }
}

function dots(brush) {
  for (const at of [2, 6]) brush.fillRect(at - 0.9, at - 0.9, 1.8, 1.8);
}
