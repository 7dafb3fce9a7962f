/** Months as bars, drawn as SVG at the width of their place, so that letters keep their size. */

const LEFT = 48; // px of the value axis

/**
 * `groups`: [{name, bars: [{role, mark, value, told}]}]; bars of one group stand side by side, hollow ones around those of
 * the same `lane`.
 */
function drawBars(place, groups, { height, lanes }) {
  const width = Math.max(240, place.clientWidth);
  const values = groups.flatMap((group) => group.bars.map((bar) => bar.value));
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const rows = ticks(least, most, 4);
  const y = (value) => 10 + (height - 34) * ((Math.max(most, rows.at(-1)) - value) / Math.max(1e-9, Math.max(most, rows.at(-1)) - Math.min(least, rows[0])));
  const step = (width - LEFT) / groups.length;
  const gap = Math.min(14, step * 0.25);
  const thick = Math.min(34, (step - gap) / lanes);
  const svg = shape("svg", { class: "chart-svg", viewBox: `0 0 ${width} ${height}`, height, "aria-hidden": "true" });
  for (const row of rows) {
    svg.append(shape("line", { class: row === 0 ? "zero" : "gridline", x1: LEFT, x2: width, y1: y(row), y2: y(row) }));
    svg.append(shape("text", { x: LEFT - 8, y: y(row) + 4, "text-anchor": "end" }, number(row)));
  }
  groups.forEach((group, i) => {
    const middle = LEFT + (i + 0.5) * step;
    for (const bar of group.bars) {
      const inset = bar.mark === "fill" && bar.inner ? 2.5 : 0;
      const [top, bottom] = [y(Math.max(0, bar.value)), y(Math.min(0, bar.value))];
      const left = middle - (lanes * thick) / 2 + bar.lane * thick + 1 + inset;
      const box = shape("rect", { class: `${bar.role} ${bar.mark}`, x: left, y: top, width: Math.max(1, thick - 2 - 2 * inset), height: Math.max(bottom - top, 0.5), rx: 2 });
      box.append(shape("title", {}, `${group.name}: ${bar.told}`));
      svg.append(box);
    }
    const every = Math.ceil(34 / step);
    if (i % every === 0) svg.append(shape("text", { x: middle, y: height - 6, "text-anchor": "middle" }, group.name));
  });
  place.replaceChildren(svg);
}

function createMonths() {
  const names = found.report.none.months.map(({ month }) => new Intl.DateTimeFormat(locale, { timeZone: "UTC", month: "short" }).format(Date.parse(`${month}-15`)));
  let size = 0;
  keyOf("energy-key", [["role-grid", "", say("page.imported")], ["role-pv", "", say("page.exported")], ["way-none", "hollow", say("page.no_battery")]]);
  keyOf("own-use-key", [["role-battery", "", say("way.zen")], ["way-none", "hollow", say("page.no_battery")]]);
  keyOf("costs-key", ["none", "rule", "zen", "perfect"].map((way) => [`way-${way}`, way === "none" ? "hollow" : "", say(`way.${way}`)]));

  function draw() {
    const { kwh, ways } = found.report.sizes[size];
    const none = found.report.none.months;
    const bar = (role, mark, lane, value, told, inner = false) => ({ role, mark, lane, value, told, inner });
    drawBars(find("energy"), names.map((name, i) => ({
      name,
      bars: [
        bar("way-none", "hollow", 0, none[i].import_kwh, `${say("page.no_battery")} ${number(none[i].import_kwh)} kWh`),
        bar("role-grid", "fill", 0, ways.zen.months[i].import_kwh, `${say("page.imported")} ${number(ways.zen.months[i].import_kwh)} kWh`, true),
        bar("way-none", "hollow", 0, -none[i].export_kwh, `${say("page.no_battery")} ${number(none[i].export_kwh)} kWh`),
        bar("role-pv", "fill", 0, -ways.zen.months[i].export_kwh, `${say("page.exported")} ${number(ways.zen.months[i].export_kwh)} kWh`, true),
      ],
    })), { height: 230, lanes: 1 });
    const percent = (account) => 100 * (account.self_consumption ?? 0);
    drawBars(find("own-use"), names.map((name, i) => ({
      name,
      bars: [
        bar("role-battery", "fill", 0, percent(ways.zen.months[i]), `${say("way.zen")} ${share(ways.zen.months[i].self_consumption)}`, true),
        bar("way-none", "hollow", 0, percent(none[i]), `${say("page.no_battery")} ${share(none[i].self_consumption)}`),
      ],
    })), { height: 150, lanes: 1 });
    const costs = (i) => [["none", none], ...["rule", "zen", "perfect"].map((way) => [way, ways[way].months])].map(([way, rows], lane) =>
      bar(`way-${way}`, way === "none" ? "hollow" : "fill", lane, rows[i].cost_eur, `${say(`way.${way}`)} ${euros(rows[i].cost_eur)}`));
    drawBars(find("costs"), names.map((name, i) => ({ name, bars: costs(i) })), { height: 210, lanes: 4 });
    find("energy").setAttribute("aria-label", say("page.energy_label", { kwh: number(kwh, kwh % 1 ? 1 : 0) }));
    find("own-use").setAttribute("aria-label", say("page.own_use_label"));
    find("costs").setAttribute("aria-label", say("page.cost_label"));
  }

  whenWide(find("energy"), draw);
  return (next) => {
    size = next;
    draw();
  };
}
