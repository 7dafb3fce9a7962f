"""What a plan is made from is damaged, missing or impossible: the building runs on, and the page says why in words."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from gateway.rig.browser import Chromium
from gateway.rig.chain import Chain
from gateway.rig.part import Part
from gateway.rig.programs import GATEWAY
from gateway.rig.web_server import WebServer, web_server

from .conftest import OpenChain, holds_by, house, state, status, until, until_mode, until_planned
from .test_planning import EVENING, LATE_NIGHT, TARIFF, november

START_S = EVENING.timestamp()
ILL = ["NaN", 9e999, -1e300, b"\x00", None]
"""What a damaged column may hold; SQLite keeps NaN as nothing."""
NOTES = r"document.getElementById('plan-late').textContent.replace(/\u00a0/g, ' ')"


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A server on loopback that answers as the test says."""
    with web_server() as server:
        yield server


async def holds_the_grid(chain: Chain, load_w: float = 1500) -> None:
    """A new load is met by the battery within seconds, by orders that are obeyed."""
    await until_mode(chain, "control")
    before = (await status(chain))["orders"]
    begun = time.monotonic()
    await house(chain, do="step", w=load_w, seconds=None)

    async def held() -> bool:
        flow = (await state(chain))["flow"]
        return flow["load_w"] is not None and flow["load_w"] > 0.8 * load_w and abs(flow["grid_w"]) < 60

    await holds_by(held, begun + 15, "the grid is held")
    after = (await status(chain))["orders"]
    assert after["applied"] > before["applied"]
    assert (after["refused"], after["failed"]) == (before["refused"], before["failed"])


async def read_on_the_page(chromium: Part, chain: Chain, *expected: str) -> None:
    """A person reads all this beside the plan: each text in its language, in the order English, French."""
    await asyncio.to_thread(_read_on_the_page, chromium, chain, expected)


def _read_on_the_page(chromium: Part, chain: Chain, expected: tuple[str, ...]) -> None:
    browser = Chromium(str(chromium.path))
    try:
        for language, sentence in zip(("en", "fr"), expected, strict=True):
            tab = browser.open(f"{chain.page_address}/?lang={language}")
            tab.wait(f"{NOTES}.includes({json.dumps(sentence)})")
    finally:
        browser.close()


def sunless() -> bytes:
    """Three days of a forecast in which a roof's sun is no number from the second hour on."""
    midnight_s = int(START_S) // 86400 * 86400
    hours = range(72)
    hourly = {
        "time": [midnight_s + 3600 * hour for hour in hours],
        "shortwave_radiation": [0.0, *[float("nan")] * 71],
        "temperature_2m": [float("nan")] * 72,
    }
    units = {"time": "unixtime", "shortwave_radiation": "W/m²", "temperature_2m": "°C"}
    return json.dumps({"hourly": hourly, "hourly_units": units}).encode()


async def damage_the_past(chain: Chain) -> None:
    """Two weeks of quarter hours of which most cannot be, in a store that the gateway itself has made."""
    await chain.start(GATEWAY)
    assert await chain.stop(GATEWAY) == 0
    first = int(START_S) // 900 * 900 - 14 * 86400
    rows = [(first + 900 * i, ILL[i % 7] if i % 7 < len(ILL) else 400.0, ILL[i % 5]) for i in range(14 * 96)]
    ends = [(first + 900 * i, "NaN") for i in range(14 * 96)]
    with closing(sqlite3.connect(chain.folder / "store.sqlite")) as store, store:
        store.executemany("INSERT INTO quarters VALUES (?, ?, ?)", rows)
        store.executemany("INSERT INTO told VALUES (?, ?)", ends)
        store.execute("INSERT OR REPLACE INTO notes VALUES ('lasting', '{NaN')")


async def test_no_numbers_in_history_and_forecast_cost_their_steps_only(
    chain_of: OpenChain, chromium: Part, web: WebServer
) -> None:
    web.serve(sunless())
    weather = {"latitude": 50.43, "longitude": 2.83, "url": web.url}
    wanted = november(EVENING, soc=0.5, feeds={"weather": weather})
    async with chain_of(wanted, prepare=damage_the_past) as chain:
        await holds_the_grid(chain)
        made = await until_planned(chain)
        assert len(made["t"]) == 96
        assert all(0 <= level <= 1 for row in ("charge", "reserve", "fill", "export") for level in made[row])
        assert [note["code"] for note in made["notes"]] == ["weather_missing"]
        await read_on_the_page(
            chromium,
            chain,
            "There is no weather forecast: PV production is forecast from past days.",
            "Il n’y a pas de prévision météo : la production PV est prévue d’après les jours passés.",
        )
        assert web.asked


async def break_the_list(chain: Chain) -> None:
    """As a disk that was full left it."""
    folder = chain.folder / "tariffs"
    folder.mkdir()
    (folder / "mine.toml").write_bytes(b'id = "mine"\ntitle = "My supp\x00\xff')


async def test_with_a_broken_price_list_a_building_runs_on_assumed_prices(chain_of: OpenChain, chromium: Part) -> None:
    async with chain_of(november(EVENING, soc=0.5, tariff={"file": "mine"}), prepare=break_the_list) as chain:
        await holds_the_grid(chain)
        made = await until_planned(chain)
        assert set(made["buy"]) == {0.25}
        assert set(made["sell"]) == {0.04}
        await read_on_the_page(
            chromium,
            chain,
            "The tariff’s price list cannot be used",
            "La grille de prix du tarif est inutilisable",
        )
        assert "tariff.file" in chain.child("gateway").log.read_text(encoding="utf-8")


async def test_a_dead_price_feed_leaves_the_dear_fallback(chain_of: OpenChain, chromium: Part, web: WebServer) -> None:
    web.serve(b"", status=500)
    none = dict.fromkeys(("file", "prices", "off_peak"))
    points = {**none, "points": f"{web.url}/prices.csv", "fallback_price": 0.31, "surplus_price": 0.05}
    async with chain_of(november(EVENING, soc=0.5, tariff=points)) as chain:
        await holds_the_grid(chain)
        made = await until_planned(chain)
        assert set(made["buy"]) == {0.31}
        await read_on_the_page(
            chromium,
            chain,
            "0.31 €/kWh is assumed, the highest possible price",
            "0,31 €/kWh est supposé, le prix le plus élevé possible",
        )


async def test_a_limit_that_cannot_be_kept_is_reported_and_all_else_goes_on(
    chain_of: OpenChain, chromium: Part
) -> None:
    """The building draws 250 W, the connection allows 100 W, and the battery is at its reserve."""
    async with chain_of(november(EVENING, soc=0.1, control={"import_limit_w": 100})) as chain:
        await until_mode(chain, "control")
        await until_planned(chain)
        await read_on_the_page(
            chromium,
            chain,
            "The grid connection allows 100 W: today 18:00–",
            "Le raccordement permet 100 W : aujourd’hui de 18 h à ",
        )

        async def rests() -> bool:
            now = await state(chain)
            is_commanded = now["setpoint"]["mode"] == "control" and now["setpoint"]["reason"]["code"] == "reserve"
            return is_commanded and abs(now["flow"]["battery_w"]) < 60

        await until(rests, "the battery keeps its reserve and the page says so")


async def test_a_quarter_hour_that_would_cost_is_not_exceeded_although_the_plan_keeps_its_energy(
    chain_of: OpenChain, chromium: Part
) -> None:
    """In the last cheap hour energy is kept and bought for the day; of a load of 4 kW the grid gives 2 kW, no more."""
    tariff = {**TARIFF, "peak_eur_per_kw_month": 20, "peak_free_kw": 2}
    async with chain_of(november(LATE_NIGHT, soc=0.3, tariff=tariff)) as chain:
        await until_planned(chain)
        await read_on_the_page(
            chromium,
            chain,
            "Up to 2.00 kW of import cost nothing more this month",
            "Jusqu’à 2,00 kW de soutirage ne coûtent rien de plus ce mois-ci",
        )
        await until_mode(chain, "control")
        begun = time.monotonic()
        await house(chain, do="step", w=4000, seconds=None)

        async def held() -> bool:
            now = await state(chain)
            is_commanded = now["setpoint"]["reason"]["code"] == "peak_aim"
            return is_commanded and now["flow"]["load_w"] > 3800 and abs(now["flow"]["grid_w"] - 2000) < 100

        await holds_by(held, begun + 15, "import is held at what costs nothing more")
