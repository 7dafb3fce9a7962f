"""The prices of a plan with what the meter tells of called days and a feed of points, as the gateway is built."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.adapters.clock import SystemClock
from gateway.core.model.state import Reading, SiteState
from gateway.core.model.time_grid import TimeGrid
from gateway.paths import config_folder
from gateway.planning.price_inputs import PriceInputs
from gateway.site.assembly.feeds import Feeds, feeds
from gateway.site.assembly.prices import price_inputs
from gateway.site.file import site_file

DEMO = (config_folder() / "demo" / "site.toml").read_text().partition("\n[tariff]")[0] + "\n"
PARIS = ZoneInfo("Europe/Paris")
TEMPO = """
[tariff]
file = "edf_tempo"
prices = { TEMPO_BLUE_HP = 0.15, TEMPO_WHITE_HC = 0.14, TEMPO_WHITE_HP = 0.18, TEMPO_RED_HC = 0.16 }
"""


def inputs_of(tmp_path: Path, tariff: str) -> tuple[PriceInputs, Feeds]:
    path = tmp_path / "site.toml"
    path.write_text(DEMO + tariff)
    file = site_file.read(path)
    found = feeds(file, clock=SystemClock(), folder=tmp_path / "cache")
    return price_inputs(file, found, meter="meter"), found


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=PARIS).timestamp()


def asked(inputs: PriceInputs, now: str, hour: str, **points: float) -> tuple[str, bool]:
    """Name of the price at an hour of a plan made now, and whether it is assumed, with what the meter tells."""
    readings = {name: Reading(value=value, measured_s=1.0) for name, value in points.items()}
    state = SiteState(now_s=1.0, utc_s=at(now), devices={"meter": readings})
    prices = inputs.weighed(TimeGrid(start_s=at(hour), step_s=900.0, steps=1), state, 0.0).real
    return prices.names[0], prices.assumed[0]


# In turn: now, the hour asked for, what the meter tells, and the price of that hour.
@pytest.mark.parametrize(
    ("tariff", "table"),
    [
        (
            TEMPO,
            [
                ("2026-01-12T12:00", "2026-01-13T12:00", {}, ("TEMPO_RED_HP", True)),
                ("2026-01-12T20:00", "2026-01-13T12:00", {"tempo_tomorrow": 1.0}, ("TEMPO_BLUE_HP", False)),
                ("2026-01-12T20:01", "2026-01-13T12:00", {}, ("TEMPO_BLUE_HP", False)),  # remembered
                ("2026-01-12T20:01", "2026-01-14T12:00", {}, ("TEMPO_RED_HP", True)),
                ("2026-01-20T12:00", "2026-01-13T12:00", {}, ("TEMPO_RED_HP", True)),  # and forgotten
            ],
        ),
        (
            '\n[tariff]\nfile = "edf_ejp"\n',
            [
                ("2026-01-12T06:00", "2026-01-12T12:00", {"tariff": 3.0}, ("EJP_PM", True)),
                ("2026-01-12T07:15", "2026-01-12T12:00", {"tariff": 3.0}, ("EJP_HN", False)),
                ("2026-01-12T07:16", "2026-01-13T12:00", {"tariff": 3.0}, ("EJP_PM", True)),
                ("2026-01-13T06:40", "2026-01-13T12:00", {"tariff": 3.0, "peak_notice": 30.0}, ("EJP_PM", False)),
                ("2026-01-13T06:40", "2026-01-13T06:45", {"tariff": 3.0, "peak_notice": 30.0}, ("EJP_HN", False)),
            ],
        ),
        (
            '\n[tariff]\nfile = "edf_base"\n',
            [("2026-01-12T12:00", "2026-01-12T12:00", {"tempo_today": 3.0}, ("BASE", False))],
        ),
        ("", [("2026-01-12T12:00", "2026-01-12T12:00", {}, ("BASE", True))]),
    ],
)
def test_days_are_learnt_from_the_meter_and_remembered(
    tmp_path: Path, tariff: str, table: list[tuple[str, str, dict[str, float], tuple[str, bool]]]
) -> None:
    inputs, _ = inputs_of(tmp_path, tariff)
    for now, hour, points, expected in table:
        assert asked(inputs, now, hour, **points) == expected, (now, hour)


async def test_published_prices_come_from_their_feed(tmp_path: Path) -> None:
    inputs, feeds = inputs_of(tmp_path, '\n[tariff]\npoints = "prices.csv"\nfallback_price = 0.3\n')
    assert asked(inputs, "2026-01-15T00:10", "2026-01-15T00:15") == ("DYNAMIC", True)
    (tmp_path / "prices.csv").write_text("time,price_eur_per_kwh\n2026-01-15T00:00+01:00,0.08\n")
    assert feeds.prices is not None
    await feeds.prices.refresh()
    assert asked(inputs, "2026-01-15T00:10", "2026-01-15T00:15") == ("DYNAMIC", False)
