"""Accounts, decisions and events that a building might have had."""

import random
from collections.abc import Iterator

from hypothesis import strategies as st

from gateway.adapters.archive.records import Decision, HistoryEvent
from gateway.core.accounts.quarter_account import (
    DeviceEnergy,
    EnergySource,
    Flows,
    LoadEnergy,
    PriceInForce,
    QuarterAccount,
)

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=8)
WH = st.floats(0, 1e7)
MAYBE_WH = st.none() | WH
DEVICES = st.builds(DeviceEnergy, drawn_wh=MAYBE_WH, given_wh=MAYBE_WH, source=st.sampled_from(EnergySource))
LOADS = st.builds(LoadEnergy, used_wh=MAYBE_WH, of_sun_wh=MAYBE_WH, of_battery_wh=MAYBE_WH)
FLOWS = st.builds(Flows, **dict.fromkeys(Flows.__dataclass_fields__, WH))
PRICES = st.builds(PriceInForce, period=NAMES, buy=st.floats(-1, 5), sell=st.floats(-1, 5))
ACCOUNTS = st.builds(
    QuarterAccount,
    start_s=st.integers(1_600_000_000 // 900, 1_600_000_000 // 900 + 400).map(lambda t: 900 * t),
    devices=st.dictionaries(NAMES, DEVICES, max_size=4),
    loads=st.dictionaries(NAMES, LOADS, max_size=3),
    used_wh=MAYBE_WH,
    flows=st.none() | FLOWS,
    curtailed_wh=MAYBE_WH,
    stored_wh=MAYBE_WH,
    seen=st.floats(0, 1),
    price=st.none() | PRICES,
    co2_g_per_kwh=st.none() | st.floats(0, 1500),
    epochs=st.lists(NAMES, max_size=2, unique=True).map(tuple),
    notes=st.dictionaries(NAMES, NAMES, max_size=2),
)
NUMBERS = st.dictionaries(NAMES, st.floats(-1e6, 1e6) | NAMES, max_size=4)
MOMENTS = st.integers(16_000_000_000, 16_000_500_000).map(lambda tenths: tenths / 10)
DECISIONS = st.builds(
    Decision,
    device=NAMES,
    since_s=MOMENTS,
    until_s=st.none(),
    mode=st.sampled_from(("control", "hold", "release", "watch")),
    code=NAMES,
    power_w=st.none() | st.integers(-10_000, 10_000).map(float),
    numbers=NUMBERS,
    more=st.integers(0, 1000),
)
EVENTS = st.builds(
    HistoryEvent, kind=NAMES, since_s=MOMENTS, until_s=st.none() | MOMENTS, device=NAMES, numbers=NUMBERS
)


def realistic(start_s: int, count: int, *, devices: int = 20, seed: int = 1) -> Iterator[QuarterAccount]:
    """Quarter hours of a building: a grid meter, five inverters, four batteries, and meters of loads."""
    rng = random.Random(seed)
    for i in range(count):
        sun = max(0.0, 1.0 - abs((i % 96) - 52) / 24) * rng.random()
        flows = Flows(**{name: 2000 * sun * rng.random() for name in Flows.__dataclass_fields__})
        yield QuarterAccount(
            start_s=start_s + 900 * i,
            devices={f"device-{n}": _device(n, sun, rng) for n in range(devices)},
            loads={f"load-{n}": _load(sun, rng) for n in range(4)},
            used_wh=500 + 4000 * rng.random(),
            flows=flows,
            curtailed_wh=300 * sun * rng.random(),
            stored_wh=30_000 * rng.random(),
            seen=0.999,
            price=PriceInForce(period="HC" if i % 96 < 24 else "HP", buy=0.1635 if i % 96 < 24 else 0.2081, sell=0.04),
            co2_g_per_kwh=20 + 60 * rng.random(),
        )


def _device(n: int, sun: float, rng: random.Random) -> DeviceEnergy:
    drawn = 0.0 if 0 < n < 6 else 2000 * rng.random()
    given = 2500 * sun if 0 < n < 6 else 1500 * rng.random() * (n < 10)
    return DeviceEnergy(drawn_wh=drawn, given_wh=given, source=EnergySource.COUNTER)


def _load(sun: float, rng: random.Random) -> LoadEnergy:
    used = 1000 * rng.random()
    return LoadEnergy(used_wh=used, of_sun_wh=used * sun, of_battery_wh=used * (1 - sun) * rng.random())
