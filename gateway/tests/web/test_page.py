"""The page in a real browser."""

import copy
import json
import urllib.parse

import pytest

from gateway.tests.web.fake_view import SUNNY, FakeView, plan_with_loads, with_loads, without_meter, without_room
from gateway.tests.web.page_thread import PageThread
from gateway.tests.web.test_words import FIGURES, REASONS, TYPED
from gateway.words import figure, text

pytestmark = pytest.mark.hil


def plain(texts):
    """Without the unbreakable spaces, for reading in a test."""
    return texts.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def with_flow(**flow):
    state = copy.deepcopy(SUNNY)
    state["flow"].update(flow)
    return state


EDGES = (
    "Object.fromEntries([...document.querySelectorAll('.edge')].map(e => [e.classList[1].slice(5), e.dataset.flow]))"
)
VALUES = "[...document.querySelectorAll('.node-value')].map(e => e.textContent.replace('\\u00a0', ' '))"
CHART = "document.querySelectorAll('#trend-chart canvas').length === 2"
OUTSIDE = """
[...document.querySelectorAll('main *')]
.filter(element => element.getBoundingClientRect().right > innerWidth + 1)
.map(element => element.outerHTML.slice(0, 80))
"""
LEGEND = """
[...document.querySelectorAll('.legend-from .legend-value, .legend-to li:not([hidden]) .legend-value')]
.map(element => element.textContent.replace('\\u00a0', ' '))
"""
NAMELESS = """
[...document.querySelectorAll('a, button, section, [role=img], [role=meter], [role=group]')]
.filter(element => {
  const by = element.getAttribute('aria-labelledby');
  const named = by ? document.getElementById(by) : element;
  const name = element.getAttribute('aria-label') ?? named.textContent;
  return name.trim() === '';
}).map(element => element.outerHTML)
"""


def edges(tab):
    return tab.run(EDGES)


def flows(tab):
    return tab.run(VALUES)


def test_production_is_a_positive_number_and_the_arrows_say_the_rest(open_tab):
    tab = open_tab()
    assert flows(tab) == ["3.40 kW", "1.20 kW", "700 W", "1.50 kW"]
    assert edges(tab) == {"pv": "to-house", "grid": "from-house", "battery": "from-house"}
    assert plain(tab.text("#flow-sentence")) == (
        "3.40 kW from PV → 700 W for the building, 1.50 kW into the battery, and 1.20 kW to the grid"
    )
    label = plain(tab.run("document.querySelector('.flow-picture').getAttribute('aria-label')"))
    assert label.startswith("PV: production, 3.40 kW. Grid: export, 1.20 kW. Building:")


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        ({"pv_w": 8.0, "grid_w": 308.0, "battery_w": 0.0}, {"pv": "idle", "grid": "to-house", "battery": "idle"}),
        (
            {"pv_w": 40.0, "grid_w": 0.0, "battery_w": -740.0},
            {"pv": "from-house", "grid": "idle", "battery": "to-house"},
        ),
        ({"pv_w": None, "grid_w": -14.9, "battery_w": None}, {"pv": "unknown", "grid": "idle", "battery": "unknown"}),
    ],
)
def test_an_arrow_points_where_the_power_goes(page, open_tab, flow, expected):
    tab = open_tab()
    page.publish(with_flow(**flow))
    wanted = json.dumps(expected, separators=(",", ":"))
    tab.wait(f"JSON.stringify({EDGES}) === {json.dumps(wanted)}")


def test_numbers_change_with_each_cycle_without_a_reload(page, open_tab):
    tab = open_tab()
    tab.run("window.sameDocument = true")
    page.publish(with_flow(load_w=2700.0, grid_w=800.0))
    tab.wait("document.querySelector('.role-load .node-value').textContent.includes('2.70')")
    assert tab.run("window.sameDocument") is True


def test_the_set_point_reports_what_and_why(page, open_tab):
    tab = open_tab("?lang=fr")
    assert plain(tab.text("#setpoint-order")) == "Charge à 1,50 kW"
    assert plain(tab.text("#setpoint-held")) == "Acceptée par l’appareil, qui ne peut pas être relu : Charge à 1,50 kW"
    assert plain(tab.text("#setpoint-reason")).startswith("Sans la batterie, 2,70 kW seraient injectés dans le réseau.")
    page.publish(without_meter())
    tab.wait("document.querySelector('#setpoint-mode').dataset.mode === 'release'")
    assert plain(tab.text("#setpoint-order")) == "Aucune : mode autonome"
    assert "compteur réseau depuis 2 min" in plain(tab.text("#setpoint-reason"))
    held = "Envoyé : Charge à 1,20 kW. Relu dans l’appareil : Charge à 1,18 kW"
    assert plain(tab.text("#setpoint-held")) == held


SHOWN_TEXTS = """
[...document.querySelectorAll('#setpoint-others li')]
.map(row => ['name', 'power', 'reason'].map(part => row.querySelector(`.setpoint-row-${part}`).textContent))
"""
LOAD_ROWS = """
[...document.querySelectorAll('#plan-loads .load-row')]
.map(row => ['name', 'power', 'reason'].map(part => row.querySelector(`.load-row-${part}`).textContent))
"""


def test_every_commanded_device_is_shown_with_its_set_point_and_why(page, open_tab):
    tab = open_tab("?lang=fr")
    assert tab.run("document.querySelector('#setpoint-others').hidden") is True
    page.publish(with_loads())
    tab.wait(f"{SHOWN_TEXTS}.length === 3")
    assert plain(tab.text("#setpoint-name")) == "Batterie (battery)"
    assert [[plain(part) for part in row] for row in tab.run(SHOWN_TEXTS)] == [
        ["Batterie (loft)", "Charge à 700 W", plain(tab.text("#setpoint-reason"))],
        ["Voiture", "Consommer 1,60 kW", "Utilise 1,60 kW des 3,10 kW de surplus."],
        ["Eau chaude", "Arrêt", "À 60,2 °C, la température suffit : le maximum est de 60,0 °C."],
    ]
    assert tab.errors == []


def test_what_a_charger_alone_was_sent_is_shown_in_its_own_words(page, open_tab):
    tab = open_tab("?lang=fr")
    state = with_loads()
    car = next(each for each in state["setpoints"] if each["name"] == "car")
    answer = {"asked_w": 1600.0, "applied_w": 1600.0, "held_w": None, "by": "applied", "why": ""}
    first = {key: car[key] for key in ("device", "power_w", "mode", "reason")}
    page.publish({**state, "setpoint": first, "setpoints": [car], "orders": {"wallbox": answer}})
    tab.wait("document.querySelector('#setpoint-order').textContent.includes('1,60')")
    assert plain(tab.text("#setpoint-order")) == "Consommer 1,60 kW"
    assert plain(tab.text("#setpoint-held")) == "Acceptée par l’appareil, qui ne peut pas être relu : Consommer 1,60 kW"


def test_loads_are_no_part_of_the_house_and_the_balance_is_reported(page, open_tab):
    tab = open_tab()
    page.publish(with_loads())
    tab.wait("document.querySelector('.node.role-load .node-does').textContent.includes('loads')")
    assert flows(tab) == ["3.40 kW", "0 W", "300 W", "1.50 kW"]
    assert plain(tab.run("document.querySelector('.node.role-load .node-does').textContent")) == "+ 1.60 kW loads"
    house, loads, battery = (
        "300 W for the building",
        "1.60 kW for car, hot water and other loads",
        "1.50 kW into the battery",
    )
    assert plain(tab.text("#flow-sentence")) == f"3.40 kW from PV → {house}, {loads}, and {battery}"
    tab.wait("!document.querySelector('.legend-to .role-loads').hidden")


@pytest.mark.parametrize("width", [1280, 360])
def test_the_plan_shows_when_each_load_runs_and_why(page, open_tab, width):
    page.view.shown_plan = plan_with_loads()
    tab = open_tab(width=width, height=900)
    tab.wait(f"{LOAD_ROWS}.length === 2")  # an inverter that is not curtailed has none
    car, water = tab.run(LOAD_ROWS)
    assert plain(" ".join(car)) == "Car  Waits until today 22:00: the price will be 0.164 €/kWh instead of 0.208 €/kWh."
    assert water[0] == "Hot water"
    tab.wait("document.querySelectorAll('#plan-loads .load-row-block').length >= 2")
    right = "document.querySelector('#plan-chart').dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'}))"
    tab.run(f"for (let step = 0; step < 45; step += 1) {right}")  # eleven hours on it is night
    tab.wait(f"{LOAD_ROWS}[0][1] !== ''")
    power, why = (plain(part) for part in tab.run(LOAD_ROWS)[0][1:])
    assert power == "3.68 kW"
    assert why == "3.68 kW at 0.164 €/kWh: 12.0 kWh are needed tomorrow by 07:00."
    assert tab.run(OUTSIDE) == []
    assert tab.errors == []


def test_an_absent_device_is_shown_with_its_reason_and_no_number(page, open_tab):
    tab = open_tab()
    page.publish(without_meter())
    tab.wait("document.querySelector('[data-device=grid]').dataset.quality === 'absent'")
    card = plain(tab.text("[data-device=grid]"))
    assert "absent" in card
    assert "measured 2 min ago: no answer in time" in card
    assert tab.text("[data-device=grid] [data-point=p_w] .point-value") == "—"
    assert flows(tab) == ["3.40 kW", "—", "—", "1.50 kW"]
    assert "Grid (no answer in time)" in tab.text("#flow-sentence")


def test_a_stale_value_is_marked_with_its_age(page, open_tab):
    tab = open_tab()
    page.publish(without_meter())
    tab.wait("document.querySelector('.node.role-pv').dataset.quality === 'stale'")
    assert plain(tab.run("document.querySelector('.node.role-pv .node-does').textContent")) == "12 s old"
    assert "too old" in tab.text("[data-device=roof] .badge")


def test_one_absent_point_of_a_living_device_reports_its_own_reason(open_tab):
    tab = open_tab()
    assert tab.text("[data-device=battery] [data-point=temp_c]").split("\n") == ["—", "the device says “not available”"]


def test_the_language_is_switched_by_a_button_and_remembered(page, open_tab):
    tab = open_tab("?lang=en")
    tab.run("document.querySelector('#language').click()")
    tab.wait("document.documentElement.lang === 'fr' && document.body.dataset.live === 'good'")
    assert tab.text("#flow-title") == "Puissances en ce moment"
    assert plain(tab.run("document.querySelector('.role-pv .node-value').textContent")) == "3,40 kW"
    tab.go(page.address.url)
    tab.wait("location.search === '' && document.documentElement.lang === 'fr'")


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_width_needs_sideways_scrolling(page, open_tab, width, language):
    tab = open_tab(f"?lang={language}", width=width, height=740)
    tab.wait(CHART)
    for state in (SUNNY, without_meter()):
        page.publish(state)
        mode = state["setpoint"]["mode"]
        tab.wait(f"document.querySelector('#setpoint-mode').dataset.mode === {json.dumps(mode)}")
        assert tab.run("document.documentElement.scrollWidth") == width
        assert tab.run(OUTSIDE) == []


def test_the_chart_shows_a_day_and_reads_out_a_moment(page, open_tab):
    tab = open_tab()
    tab.wait(CHART)
    # Painted: more than the background and the grid lines.
    count = """(() => { const c = document.querySelector('#trend-chart canvas');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        let n = 0; for (let i = 0; i < d.length; i += 4) if (d[i + 3] === 255 && d[i] > 180 && d[i + 2] < 60) n += 1;
        return n; })()"""
    assert tab.run(count) > 5000  # the sun's own colour
    # One step before the last: legend, chart data and power balance agree.
    tab.run("document.querySelector('#trend-chart').focus()")
    for key in ("End", "ArrowLeft"):
        event = f"new KeyboardEvent('keydown', {{key: '{key}'}})"
        tab.run(f"document.querySelector('#trend-chart').dispatchEvent({event})")
    rows = page.view.trend(24.0)
    powers = [getattr(rows, f"{name}_w")[-2] for name in ("pv", "battery", "grid", "load", "battery", "grid")]
    # Sun and battery give when negative, the grid when positive; the rest is 0 on that side.
    signs = (-1, -1, 1, 1, 1, -1)
    texts = [plain(figure("en", "p_w", max(0.0, sign * power))) for sign, power in zip(signs, powers, strict=True)]
    tab.wait(f"JSON.stringify({LEGEND}) === {json.dumps(json.dumps(texts, separators=(',', ':')))}")
    assert "21/06/2024" in tab.text(".legend-time")
    assert "Stacked chart" in tab.run("document.querySelector('#trend-chart').getAttribute('aria-label')")


def test_the_range_of_the_chart_is_chosen_with_buttons(page, open_tab):
    tab = open_tab()
    tab.wait(CHART)
    tab.run("[...document.querySelectorAll('.choice-item')].find(e => e.innerText.startsWith('6')).click()")
    tab.wait("document.querySelector('.choice-item[aria-pressed=true]').innerText.startsWith('6')")
    tab.wait("performance.getEntriesByType('resource').some(e => e.name.endsWith('hours=6') && e.responseEnd > 0)")
    assert page.view.asked_hours[-1] == 6.0


@pytest.mark.parametrize(
    ("known_h", "pressed", "note"), [(0.2, "1 h", "Mean values."), (0.0, "24 h", "No values in this period yet.")]
)
def test_a_young_history_fills_the_chart_and_an_empty_one_says_so(browser, known_h, pressed, note):
    page = PageThread(lambda: FakeView(known_h=known_h))
    try:
        tab = browser.open(f"{page.address.url}?lang=en")
        tab.wait(CHART)
        assert plain(tab.text(".choice-item[aria-pressed=true]")) == pressed
        assert tab.text("#trend-note").startswith(note)
        assert tab.errors == []
        tab.close()
    finally:
        page.close()


def test_a_reader_who_wants_no_motion_gets_none_and_still_sees_directions(open_tab):
    moving, still = open_tab(), open_tab(still=True)
    assert moving.run("document.getAnimations().some(a => a.animationName === 'flow')") is True
    assert still.run("document.getAnimations().length") == 0
    assert edges(still) == edges(moving)
    assert still.run("getComputedStyle(document.querySelector('.role-pv .edge-arrow')).display") != "none"


def test_dark_and_light_follow_the_reader(open_tab):
    light, dark = open_tab(), open_tab(dark=True)
    colour = "getComputedStyle(document.body).backgroundColor"
    assert light.run(colour) == "rgb(245, 244, 239)"
    assert dark.run(colour) == "rgb(15, 20, 19)"


def test_the_page_asks_only_its_own_address_and_the_console_stays_empty(page, open_tab):
    for language in ("en", "fr"):
        tab = open_tab(f"?lang={language}")
        tab.wait(CHART)
        for state in (without_meter(), {**with_flow(pv_w=None), "soc": None}, {**SUNNY, "soc": None, "devices": []}):
            page.publish(state)
            tab.wait(f"document.querySelectorAll('.device').length === {len(state['devices'])}")
        own = urllib.parse.urlsplit(page.address.url).netloc
        assert {urllib.parse.urlsplit(each).netloc for each in tab.requests} == {own}
        assert len(tab.requests) > 10
        assert tab.errors == []


NODE = "document.querySelectorAll('#links .link')[1]"


@pytest.mark.parametrize(
    ("node", "good", "texts"),
    [
        ({}, True, ["firmware 0.1.0, build 848000000"]),
        ({"up": False, "refused": "ram"}, False, ["not connected"]),
        ({"mode": "safe", "why": "bus rs485: OSError(5,)"}, False, ["safe mode", "last restart: bus rs485: OSError"]),
        ({"mode": "trial", "why": "update"}, False, ["on trial", "last restart: into a new release"]),
        ({"why": "trial: broker"}, True, ["last restart: a new release did not pass its trial: broker"]),
        ({"refused": "silent: rs485"}, False, ["it refuses its poll table: silent: rs485"]),
        ({"has_table": False}, False, ["another poll table"]),
        ({"heard": False}, False, ["its measurements are not acknowledged"]),
        ({"test": "good"}, True, ["firmware"]),
        ({"test": "unit 2, broker"}, False, ["its self-test found: unit 2, broker"]),
        ({"update": "pull"}, False, ["update: the node is downloading it"]),
        ({"update": "refused: older"}, False, ["update: Refused; the node keeps running as before. older"]),
    ],
)
def test_a_node_says_why_it_does_not_do_what_it_should(page, open_tab, node, good, texts):
    tab = open_tab()
    state = copy.deepcopy(SUNNY)
    state["links"]["nodes"][0].update(id="attic", **node)
    page.publish(state)
    tab.wait(f"{NODE}.textContent.includes('attic')")
    shown = plain(tab.run(f"{NODE}.textContent"))
    assert [each for each in texts if each not in shown] == [], shown
    assert tab.run(f"{NODE}.dataset.good") == str(good).lower()
    assert tab.errors == []


def test_every_control_has_a_name_and_every_section_a_heading(open_tab):
    tab = open_tab()
    tab.wait(CHART)
    assert tab.run(NAMELESS) == []
    assert tab.run("document.querySelectorAll('h1').length") == 1
    assert tab.run("document.querySelector('#soc-meter').getAttribute('aria-valuenow')") == "53"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_reports_numbers_and_reasons_exactly_as_the_commands_do(open_tab, language):
    tab = open_tab(f"?lang={language}")
    path = tab.run("document.querySelector('script[type=module]').src").rsplit("/", 1)[0]
    column = 2 if language == "en" else 3
    rows = [[row[0], row[1]] for row in FIGURES]
    texts = tab.run(f"import('{path}/words.js').then(w => {json.dumps(rows)}.map(([n, v]) => w.figure(n, v)))")
    assert texts == [row[column].translate(TYPED) for row in FIGURES]
    for size in (1234.5, -310.0, 0.0):
        numbers = {code: dict.fromkeys(names, size) for code, names in REASONS.items()}
        tell = f"Object.entries({json.dumps(numbers)}).map(([code, each]) => w.say('reason.' + code, each))"
        assert tab.run(f"import('{path}/words.js').then(w => {tell})") == [
            text(language, f"reason.{code}", **given) for code, given in numbers.items()
        ]


def test_control_that_is_not_obeyed_is_not_called_control(page, open_tab):
    tab = open_tab()
    state = with_loads()
    state["orders"] = {"battery": {"asked_w": 1200.0, "applied_w": None, "held_w": None, "by": "", "why": "old"}}
    page.publish(state)
    tab.wait("document.querySelector('#setpoint-mode').dataset.mode === 'refused'")
    assert tab.text("#setpoint-mode") == "Orders refused"
    state["orders"]["battery"].update(applied_w=1200.0, by="applied", why="")
    page.publish(state)
    tab.wait("document.querySelector('#setpoint-mode').dataset.mode === 'control'")
    assert tab.errors == []


def test_a_house_that_is_known_within_bounds_shows_them_and_a_silent_inverter_at_night_is_idle(page, open_tab):
    tab = open_tab()
    state = copy.deepcopy(SUNNY)
    state["flow"].update(pv_w=None, load_w=700.0, load_low_w=0.0, load_high_w=2400.0, unknown=["roof"])
    state["devices"][1].update(quality="absent", why="timeout")
    page.publish(state)
    tab.wait("document.querySelector('.node.role-load').dataset.quality === 'stale'")
    assert plain(tab.run("document.querySelector('.node.role-load .node-does').textContent")) == "0 W to 2.40 kW"
    assert "only known within bounds, because a device is silent: roof." in plain(tab.text("#flow-sentence"))
    state["flow"] = {"grid_w": 1800.0, "pv_w": 0.0, "battery_w": 0.0, "load_w": 1800.0}
    state["devices"][1].update(quality="assumed", why="night", age_s=0.0)
    page.publish(state)
    tab.wait("document.querySelector('[data-device=roof] .badge').dataset.quality === 'assumed'")
    assert "silent while the sun is down: it gives nothing" in plain(tab.text("[data-device=roof]"))
    assert flows(tab)[0] == "0 W"
    assert tab.errors == []


def test_a_second_board_and_a_clock_that_is_not_set_are_named(page, open_tab):
    tab = open_tab()
    state = copy.deepcopy(SUNNY)
    state["links"]["nodes"][0]["twin_age_s"] = 75.0
    state["links"]["clock"] = "unset"
    page.publish(state)
    tab.wait("document.querySelectorAll('#links [data-good=false]').length >= 2")
    said = plain(tab.text("#links"))
    assert "a second board has this identity, since 75 s" in said
    assert "not set: values are kept, and dated when the time is known" in said
    assert tab.errors == []


DATABASE = "[...document.querySelectorAll('#links .link')].at(-1)"


@pytest.mark.parametrize(
    ("query", "alarm", "row"),
    [
        ("?lang=en", "Local store: the disk of this gateway is full", "it refuses the token: check ZEN_INFLUX_TOKEN"),
        ("?lang=fr", "Stockage local : le disque de cette passerelle est plein", "vérifiez ZEN_INFLUX_TOKEN"),
    ],
)
def test_a_store_that_takes_nothing_is_an_alarm_until_it_does_again(page, open_tab, query, alarm, row):
    page.is_beating = False
    tab = open_tab(query)
    assert tab.run("document.querySelector('#alarm').hidden") is True
    page.publish(without_room())
    tab.wait("!document.querySelector('#alarm').hidden")
    assert plain(tab.text("#alarm")).startswith(alarm)
    told = plain(tab.run(f"{DATABASE}.innerText"))
    assert row in told
    assert "200" in told
    assert tab.run(f"{DATABASE}.dataset.good") == "false"
    page.publish(SUNNY)
    tab.wait("document.querySelector('#alarm').hidden")
    assert tab.run(f"{DATABASE}.dataset.good") == "true"
