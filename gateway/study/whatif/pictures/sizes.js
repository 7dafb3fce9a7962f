/** What each size saves: three curves over the size, with what one more kWh brings. */

function createSizes(choose) {
  const sizes = found.report.sizes;
  const place = find("sizes");
  const bottom = 34;
  const ways = ["perfect", "rule", "zen"];
  let chosen = 0;
  keyOf("sizes-key", [["way-zen", "line", say("way.zen")], ["way-rule", "line dotted", say("way.rule")], ["way-perfect", "line dashed", say("way.perfect")]]);
  place.setAttribute("aria-label", say("page.sizes_label"));

  function draw() {
    const width = Math.max(240, place.clientWidth);
    const height = matchMedia("(min-width: 860px)").matches ? 600 : 290;
    const points = (way) => [[0, 0], ...sizes.map((size) => [size.kwh, size.gain_eur[way]])];
    const most = Math.max(1, ...ways.flatMap((way) => points(way).map(([, gain]) => gain)));
    const least = Math.min(0, ...ways.flatMap((way) => points(way).map(([, gain]) => gain)));
    const x = (kwh) => LEFT + (width - LEFT - 14) * (kwh / sizes.at(-1).kwh);
    const y = (gain) => 18 + (height - 18 - bottom) * ((most - gain) / (most - least));
    const svg = shape("svg", { class: "chart-svg", viewBox: `0 0 ${width} ${height}`, height, "aria-hidden": "true" });
    svg.append(shape("rect", { class: "now", x: x(sizes[chosen].kwh) - 12, y: 10, width: 24, height: height - bottom - 10, rx: 8 }));
    for (const row of ticks(least, most, 5)) {
      svg.append(shape("line", { class: row === 0 ? "zero" : "gridline", x1: LEFT, x2: width, y1: y(row), y2: y(row) }));
      svg.append(shape("text", { x: LEFT - 8, y: y(row) + 4, "text-anchor": "end" }, `${number(row)} €`));
    }
    for (const way of ways) svg.append(shape("polyline", { class: `curve way-${way}`, points: points(way).map(([kwh, gain]) => `${x(kwh)},${y(gain)}`).join(" ") }));
    const zen = points("zen");
    sizes.forEach((size, i) => {
      const [[kwh, gain], [before, earlier]] = [zen[i + 1], zen[i]];
      const dot = shape("circle", { class: "fill way-zen", cx: x(kwh), cy: y(gain), r: 5 });
      dot.append(shape("title", {}, `${number(kwh, kwh % 1 ? 1 : 0)} kWh: ${euros(gain)}`));
      dot.addEventListener("click", () => choose(i));
      const label = { class: "strong halo", x: (x(kwh) + x(before)) / 2 + 16, y: y((gain + earlier) / 2) + 26, "text-anchor": "middle" };
      svg.append(dot, shape("text", label, `+${number(size.more_eur_per_kwh.zen, 1)}`));
      svg.append(shape("text", { x: x(kwh), y: height - 12, "text-anchor": i === sizes.length - 1 ? "end" : "middle" }, `${number(kwh, kwh % 1 ? 1 : 0)}${i === sizes.length - 1 ? " kWh" : ""}`));
    });
    place.replaceChildren(svg);
  }

  whenWide(place, draw);
  return (size) => {
    chosen = size;
    draw();
  };
}
