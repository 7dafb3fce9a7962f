import json
import re
import string
from pathlib import Path

import pytest

import gateway
from gateway import words
from gateway.adapters.store.files import Cause
from gateway.words import LANGUAGES, PLACEHOLDER, WordError, text

# The table of the wire's reasons and numbers, written out again: whoever emits one more must give it a text.
HOURS = {"begin_day", "begin_clock", "end_clock"}
DUE = {"due_day", "due_clock"}
BEGIN = {"begin_day", "begin_clock"}
REASONS = {
    "stopping": set(),
    "frozen_wait": {"age_s"},
    "wait_battery": {"age_s"},
    "hold_grid_charge": {"net_w", "target_w", "power_w"},
    "hold_grid_discharge": {"net_w", "target_w", "power_w"},
    "hold_grid_idle": {"net_w", "target_w", "power_w"},
    "limit_charge": {"wanted_w", "allowed_w"},
    "limit_discharge": {"wanted_w", "allowed_w"},
    "full": {"soc_pct"},
    "reserve": {"soc_pct", "reserve_pct"},
    "import_limit": {"wanted_w", "limit_w"},
    "export_limit": {"wanted_w", "limit_w"},
    "import_limit_phase": {"wanted_w", "limit_w", "place"},
    "export_limit_phase": {"wanted_w", "limit_w", "place"},
    "import_limit_circuit": {"wanted_w", "limit_w", "place"},
    "export_limit_circuit": {"wanted_w", "limit_w", "place"},
    "loads_unsupplied": {"loads_w", "power_w"},
    "plan_charges": {"level_wh", "stored_wh", "now_price", "worth_price", "power_w"},
    "plan_sells": {"level_wh", "stored_wh", "now_price", "worth_price", "power_w"},
    "plan_keeps": {"level_wh", "stored_wh", "now_price", "worth_price", "net_w"},
    "plan_leaves": {"level_wh", "stored_wh", "now_price", "worth_price", "net_w"},
    "too_little": {"wanted_w", "loss_w"},
    "inverter_limit": {"wanted_w", "allowed_w"},
    "imbalance": {"wanted_w", "limit_w"},
    "pv_curtailed": {"limit_w", "allowed_w"},
    "pv_curtailed_phase": {"allowed_w", "limit_w", "place"},
    "pv_curtailed_circuit": {"allowed_w", "limit_w", "place"},
    "pv_free": set(),
    "wait": {"age_s"},
    "meter_questioned": set(),
    "meter_impossible": {"load_w"},
    "phase_impossible": {"load_w", "phase"},
    "meter_reversed": set(),
    "meter_gain": {"gain_pct"},
    "meter_mute": set(),
    "meter_asked": {"power_w"},
    "meter_asked_first": set(),
    "not_followed": {"ordered_w", "power_w"},
    "takes_less": {"wanted_w", "allowed_w"},
    "pv_not_followed": {"allowed_w", "power_w"},
    "pv_blind": {"allowed_w", "limit_w"},
    "lost_meter": {"age_s"},
    "frozen_meter": {"age_s"},
    "lost_battery": set(),
    "lost_soc": set(),
    "starting": set(),
    "second_gateway": {"other"},
    "watch_only": set(),
    # of plans: `HOURS` are told by the local clock, from the slot that gives the reason
    "kept": {"kept_wh", "worth_price", *HOURS},
    "grid_charge": {"energy_wh", "buy_price", "worth_price", *HOURS},
    "all_surplus": {"sell_price", "worth_price"},
    "leave_surplus": {"room_wh", "sell_price", "worth_price"},
    "sell": {"energy_wh", "sell_price", "worth_price"},
    "plain_rule": set(),
    "plan_starting": set(),
    "clock_unset": set(),
    "no_battery": set(),
    "all_astray": set(),
    "plan_old": {"age_s"},
    "plan_late": set(),
    "plan_failed": set(),
    "plan_nonsense": set(),
    "plan_broken": {"slot"},
    "tariff_missing": {"buy_price", "sell_price"},
    "tariff_broken": {"buy_price", "sell_price"},
    "forecast_missing": set(),
    "weather_missing": set(),
    "weather_old": {"age_s"},
    "assumed_price": {"buy_price", *HOURS},
    "co2_missing": set(),
    "sell_clipped": {"steps", "sell_price", "buy_price"},
    "limit_short": {"limit_w", "over_w", *HOURS},
    "peak_kept": {"due_w", "limit_w"},
    "peak_aim": {"net_w", "limit_w", "power_w"},
    # of flexible loads, and of plans with some that cannot have all they want
    "load_surplus": {"power_w", "surplus_w", "sell_price"},
    "load_due": {"power_w", "buy_price", "wanted_wh", *DUE},
    "load_ahead": {"power_w", "buy_price", "later_price"},
    "load_run": {"power_w", "buy_price", *DUE},
    "load_going": {"power_w", *DUE},
    "load_hygiene": {"power_w", "buy_price"},
    "load_gives": {"power_w", "buy_price"},
    "load_short": {"power_w", "missing_wh", *DUE},
    "load_wait": {"later_price", "now_price", *BEGIN},
    "load_turn": BEGIN,
    "load_done": set(),
    "load_away": set(),
    "load_quiet": set(),
    "load_later": set(),
    "load_window": set(),
    "load_missed": set(),
    "load_free": set(),
    "load_curtail": {"spilled_w", "sell_price"},
    # of loads, each second
    "load_takes": {"power_w", "surplus_w"},
    "load_not_followed": {"ordered_w", "power_w"},
    "load_takes_less": {"ordered_w", "power_w"},
    "load_dips": {"power_w", "surplus_w"},
    "load_planned": {"power_w", "surplus_w"},
    "load_little": {"surplus_w", "least_w"},
    "load_less": {"power_w", "planned_w"},
    "load_yields": {"surplus_w"},
    "load_runs_on": {"left_s", "least_s"},
    "load_rests": {"left_s", "least_s"},
    "load_limit": {"wanted_w", "limit_w"},
    "load_limit_phase": {"wanted_w", "limit_w", "place"},
    "load_limit_circuit": {"wanted_w", "limit_w", "place"},
    "load_absent": set(),
    "load_idle": {"left_s"},
    "load_warm": {"temp_c", "high_c"},
    "load_cold": {"temp_c", "low_c"},
    "load_blind": set(),
    "load_plain": set(),
    "load_must": {"power_w", "left_s"},
    "load_heats": {"power_w", "temp_c", "low_c"},
    "load_unplanned": set(),
    "lost_load": {"age_s"},
    "wait_load": {"age_s"},
    "note_window": {"name"},
    "note_missed": {"name"},
    "note_short": {"name", "missing_wh"},
    "solver_missing": set(),
    "solver_failed": set(),
}
ABSENCES = (
    "timeout", "bad_frame", "exception", "no_link", "wrong_reply", "wrong_header", "no_model", "no_node", "no_data",
    "nan", "implausible", "proof", "frozen", "stale", "table", "night", "own",
    "offline", "refused", "busy", "too_large", "garbled", "units", "time_zone",
)  # fmt: skip
WORDS = Path(words.__file__).parent
STATIC = Path(gateway.__file__).parent / "web" / "static"


def rows(language):
    return json.loads((WORDS / f"{language}.json").read_text(encoding="utf-8"))


def placeholders(row):
    return {name for name, _ in PLACEHOLDER.findall(row)}


def test_both_languages_have_the_same_keys_in_the_same_order():
    assert list(rows("en")) == list(rows("fr"))


def test_both_languages_fill_in_the_same_numbers():
    french = rows("fr")
    assert {key: placeholders(row) for key, row in rows("en").items()} == {
        key: placeholders(row) for key, row in french.items()
    }


def test_no_text_has_a_brace_that_is_not_a_placeholder():
    for language in LANGUAGES:
        for row in rows(language).values():
            assert not set("{}") & set(PLACEHOLDER.sub("", row)), row


def test_every_reason_has_a_text_with_all_its_numbers():
    assert {
        key.removeprefix("reason."): placeholders(row) for key, row in rows("en").items() if "reason." in key
    } == REASONS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_for_an_absence_has_a_text(language):
    assert {key.removeprefix("why.") for key in rows(language) if key.startswith("why.")} == set(ABSENCES)


TROUBLES = {
    **{f"store_{cause}": set() for cause in Cause},
    "store_slow": {"said"},
    "store_aside": {"file"},
    "database_silent": set(),
    "database_certificate": set(),
    "database_token": set(),
    "database_forbidden": set(),
    "database_unknown": set(),
    "database_refuses": {"said"},
    "database_answers": {"status", "said"},
    "database_refused": {"count"},
    "store_history": {"said"},
}
EVENTS = {  # of the history, by their code, with what is in their sentence
    "gateway_away": set(),
    "counter_epoch": set(),
    "device_silent": {"why"},
    "device_astray": set(),
    "load_astray": set(),
    "lines_dropped": {"count", "names"},
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_event_of_the_history_has_a_text(language):
    told = {
        key.removeprefix("event."): placeholders(row) for key, row in rows(language).items() if key.startswith("event.")
    }
    assert told == EVENTS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_trouble_of_store_and_database_has_a_text(language):
    told = {key.removeprefix("trouble."): placeholders(row) for key, row in rows(language).items() if "trouble." in key}
    assert told == TROUBLES


def test_every_text_that_the_page_names_exists():
    scripts = "".join(path.read_text(encoding="utf-8") for path in STATIC.glob("*.js"))
    named = re.findall(r'(?:say|knows)\("([\w.]+)"', scripts)
    assert len(named) > 30
    assert set(named) <= set(rows("en"))


# Arithmetic by hand. TYPED tells how the signs of print are written here.
TYPED = str.maketrans({"_": "\N{NO-BREAK SPACE}", "~": "\N{NARROW NO-BREAK SPACE}", "-": "\N{MINUS SIGN}"})
FIGURES = [
    ("p_w", 0.0, "0_W", "0_W"),
    ("p_w", -0.4, "0_W", "0_W"),
    ("p_w", 310, "310_W", "310_W"),
    ("p_w", -310.5, "-311_W", "-311_W"),
    ("p_w", 999.4, "999_W", "999_W"),
    ("p_w", 999.5, "1.00_kW", "1,00_kW"),
    ("p_w", -1234.5, "-1.23_kW", "-1,23_kW"),
    ("p_w", 1005, "1.01_kW", "1,01_kW"),
    ("p_w", 9994, "9.99_kW", "9,99_kW"),
    ("p_w", 9995, "10.0_kW", "10,0_kW"),
    ("e_import_wh", 1_234_560, "1,234.6_kWh", "1~234,6_kWh"),
    ("soc_pct", 9.5, "10%", "10_%"),
    ("soc", 0.534, "53%", "53_%"),
    ("age_s", 0.44, "0.4_s", "0,4_s"),
    ("age_s", 3, "3_s", "3_s"),
    ("age_s", 3.04, "3.0_s", "3,0_s"),
    ("age_s", 9.95, "10_s", "10_s"),
    ("age_s", 89.4, "89_s", "89_s"),
    ("age_s", 90, "2_min", "2_min"),
    ("age_s", 5399, "90_min", "90_min"),
    ("age_s", 5400, "2_h", "2_h"),
    ("age_s", 172800, "2_d", "2_j"),
    ("u_v", 230.25, "230.3_V", "230,3_V"),
    ("f_hz", 49.98, "49.98_Hz", "49,98_Hz"),
    ("buy_price", 0.19, "0.19_€/kWh", "0,19_€/kWh"),
    ("buy_price", 0.2081, "0.208_€/kWh", "0,208_€/kWh"),
    ("buy_price", 0.2, "0.20_€/kWh", "0,20_€/kWh"),
    ("buy_price", -0.0125, "-0.013_€/kWh", "-0,013_€/kWh"),
    ("buy_price", 0.0004, "0.00_€/kWh", "0,00_€/kWh"),
    ("end_clock", 0, "00:00", "0_h"),
    ("end_clock", 360.0, "06:00", "6_h"),
    ("end_clock", 1358, "22:38", "22_h_38"),
    ("count", 12345, "12,345", "12~345"),
    ("count", 2.5, "2.5", "2,5"),
    ("other", "attic", "attic", "attic"),
    ("age_s", None, "—", "—"),
]


@pytest.mark.parametrize(("name", "value", "english", "french"), FIGURES)
def test_a_number_is_reported_in_its_unit_and_language(name, value, english, french):
    assert words.figure("en", name, value) == english.translate(TYPED)
    assert words.figure("fr", name, value) == french.translate(TYPED)


def test_a_signed_power_is_reported_by_its_direction():
    numbers = {"net_w": -2700.0, "target_w": 0.2, "power_w": 2700.0}
    assert text("en", "reason.hold_grid_charge", **numbers).replace("\N{NO-BREAK SPACE}", " ") == (
        "Without the battery, 2.70 kW would be exported. It charges at 2.70 kW to keep the grid at 0 W."
    )
    numbers = {"net_w": 310.0, "target_w": -50.0, "power_w": -360.0}
    message = text("fr", "reason.hold_grid_discharge", **numbers).replace("\N{NO-BREAK SPACE}", " ")
    assert message.startswith("Sans la batterie, 310 W seraient soutirés du réseau. Elle se décharge à 360 W pour")
    assert message.endswith("maintenir le réseau à 50 W d\N{RIGHT SINGLE QUOTATION MARK}injection.")


KEPT = {"kept_wh": 3100.0, "worth_price": 0.19, "begin_day": 1.0, "begin_clock": 360.0, "end_clock": 1320.0}


@pytest.mark.parametrize(
    ("language", "begin_day", "message"),
    [
        ("en", 1.0, "3.10_kWh kept: tomorrow 06:00–22:00 it will be worth 0.19_€/kWh."),
        ("en", 0.0, "3.10_kWh kept: today 06:00–22:00 it will be worth 0.19_€/kWh."),
        ("fr", 1.0, "3,10_kWh gardés_: demain de 6_h à 22_h, ils vaudront 0,19_€/kWh."),
        ("fr", 2.0, "3,10_kWh gardés_: après-demain de 6_h à 22_h, ils vaudront 0,19_€/kWh."),
    ],
)
def test_a_plan_s_reason_reports_both_numbers_and_the_hours(language, begin_day, message):
    assert text(language, "reason.kept", **{**KEPT, "begin_day": begin_day}) == message.replace(
        "_", "\N{NO-BREAK SPACE}"
    )


def test_french_has_no_breaking_space_before_its_high_punctuation():
    for key, row in rows("fr").items():
        assert not re.search(r" [:;?!»]|« ", row), key


@pytest.mark.parametrize(
    ("language", "key", "numbers", "message"),
    [
        ("de", "page.title", {}, "'de'.*en, fr"),
        ("en", "page.tilte", {}, "page.tilte"),
        ("en", "reason.full", {}, "soc_pct"),
    ],
)
def test_a_missing_language_text_or_number_is_an_error_that_names_it(language, key, numbers, message):
    with pytest.raises(WordError, match=message):
        text(language, key, **numbers)


def test_placeholders_are_plain_names():
    allowed = set(string.ascii_lowercase + string.digits + "_")
    for row in rows("en").values():
        assert all(set(name) <= allowed for name in placeholders(row))
