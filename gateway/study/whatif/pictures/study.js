/** The page of a study: one size and one day are chosen, everything else follows. */

const report = found.report;
let size = Math.floor((report.sizes.length - 1) / 2);
let day = fullDays()[Math.floor(fullDays().length / 2)];

const showDay = createDay();
const showMonths = createMonths();
const showSizes = createSizes(chooseSize);

/** Places of the days that are not cut by the beginning or the end of the record. */
function fullDays() {
  const places = found.days.map((_, place) => place).filter((place) => found.days[place][2] * found.series.step_s >= 23 * 3600);
  return places.length > 0 ? places : [0];
}

function chooseSize(next) {
  size = next;
  [...find("size").children].forEach((button, place) => button.setAttribute("aria-pressed", place === size));
  tell();
  showDay(day, size);
  showMonths(size);
  showSizes(size);
}

function chooseDay(next) {
  day = Math.min(Math.max(next, 0), found.days.length - 1);
  find("day").value = found.days[day][0];
  find("previous").disabled = day === 0;
  find("next").disabled = day === found.days.length - 1;
  showDay(day, size);
}

function tell() {
  const { kwh, gain_eur: gain, S, ways } = report.sizes[size];
  const [none, zen] = [report.none.all, ways.zen.all];
  const told = { kwh: number(kwh, kwh % 1 ? 1 : 0), gain: number(gain.zen, 2), days: number(report.days) };
  find("gain").textContent = say("page.gain", told);
  find("against").textContent = say("page.against", { rule: number(gain.rule, 2), perfect: number(gain.perfect, 2) });
  const without = (value) => say("page.without", { value });
  find("tiles").replaceChildren(
    tile("role-grid", say("page.bill"), euros(zen.cost_eur), without(euros(none.cost_eur))),
    tile("role-pv", say("self_consumption"), share(zen.self_consumption), without(share(none.self_consumption)), none.self_consumption, zen.self_consumption),
    tile("role-load", say("self_sufficiency"), share(zen.self_sufficiency), without(share(none.self_sufficiency)), none.self_sufficiency, zen.self_sufficiency),
    tile("role-battery", say("page.reached"), share(S.zen), say("page.rule_reached", { value: share(S.rule) }), S.rule, S.zen),
    ...(none.co2_kg === null ? [] : [tile("role-load", "CO₂", `${number(zen.co2_kg)}\u00a0kg`, without(`${number(none.co2_kg)}\u00a0kg`))]),
  );
}

function tile(role, name, value, note, before = null, after = null) {
  const rows = [element("dt", {}, name), element("dd", {}, value), element("dd", {}, note)];
  if (after !== null && before !== null) {
    const part = (kind, at) => element("i", { class: kind, style: `inline-size: ${100 * Math.min(1, Math.max(0, at))}%` });
    const [low, high] = [Math.min(before, after), Math.max(before, after)];
    rows.splice(2, 0, element("dd", { class: "bar", "aria-hidden": "true" }, part("", high), part("before", low)));
  }
  return element("div", { class: `tile ${role}` }, ...rows);
}

find("size").append(...report.sizes.map(({ kwh }, place) => {
  const button = element("button", { class: "choice-item", type: "button" }, `${number(kwh, kwh % 1 ? 1 : 0)} kWh`);
  button.addEventListener("click", () => chooseSize(place));
  return button;
}));
[find("day").min, find("day").max] = [found.days[0][0], found.days.at(-1)[0]];
find("day").addEventListener("change", () => {
  const place = found.days.findIndex(([date]) => date === find("day").value);
  if (place >= 0) chooseDay(place);
});
find("previous").addEventListener("click", () => chooseDay(day - 1));
find("next").addEventListener("click", () => chooseDay(day + 1));
keyOf("levels", [
  ["role-battery", "line", say("page.stored")],
  ["level-charge", "line dashed", say("page.charge")], ["level-reserve", "line dotted", say("page.reserve")],
  ["level-fill", "line dashed", say("page.fill")], ["level-export", "line dotted", say("page.export")],
  ["price-cheap", "", say("page.cheap")], ["price-dear", "", say("page.dear")],
]);
chooseDay(day);
chooseSize(size);
document.body.dataset.ready = "true";
