"""The accountant beside a simulated building, whose physics know nothing of it."""

import math
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.adapters.store.history import HistoryStore
from gateway.adapters.store.outbox import Outbox
from gateway.core.accounts.metering import metering
from gateway.core.accounts.period import PeriodAccount, period
from gateway.core.accounts.quarter_account import EnergySource, PriceInForce, QuarterAccount
from gateway.core.accounts.storage import storage_figures
from gateway.core.model.state import Reading, SiteState
from gateway.observers.accountant import Accountant
from gateway.ports import Cycle
from gateway.simulator.physics.battery import Battery
from gateway.simulator.physics.building import Building, State
from gateway.simulator.physics.inverter import Inverter
from gateway.simulator.settings.config import BatterySettings, Pv
from gateway.tests.core.plant import SITE

BEGIN_S = 1_782_691_200  # 29 June 2026, 00:00 UTC
Q = 900
METERING = metering(SITE, {})


@dataclass(slots=True)
class Kept:
    """A sink that keeps the last of each quarter hour."""

    accounts: dict[int, QuarterAccount] = field(default_factory=dict)

    def save_accounts(self, accounts: list[QuarterAccount]) -> None:
        self.accounts |= {one.start_s: one for one in accounts}


class Prices:
    """One price, and twice the CO2 in the second half of each hour."""

    def learn(self, state: SiteState) -> None:
        """Nothing."""

    def price(self, start_s: int) -> PriceInForce | None:  # noqa: ARG002 - always the same
        return PriceInForce(period="BASE", buy=0.2, sell=0.04)

    def co2_g_per_kwh(self, start_s: int) -> float | None:
        return 50.0 if start_s % 3600 < 1800 else 100.0


class Roof:
    """A clear day with clouds of some minutes."""

    def power_w(self, utc_s: float) -> float:
        sun = max(math.sin((utc_s - BEGIN_S - 4 * 3600) / 86400 * 2 * math.pi), 0.0)
        return 4500.0 * sun * (1.0 if math.sin(utc_s / 97.0) > -0.4 else 0.35)


class Kettles:
    """A base load, and 6.2 kW for a while each quarter of an hour."""

    def power_w(self, utc_s: float) -> float:
        return 700.0 + (6200.0 if utc_s % 780 < 110 else 0.0)


def building() -> Building:
    return Building(
        load=Kettles(),
        pv=Roof(),
        inverter=Inverter(Pv()),
        battery=Battery(BatterySettings(soc=0.15)),
        start_utc_s=BEGIN_S,
    )


def cycle(state: State, *, counts: bool) -> Cycle:
    """As nodes report it: powers in whole watts, counters in whole watt hours."""
    now_s = state.elapsed_s + 5000.0

    def readings(power_w: float, **counters: float) -> Mapping[str, Reading]:
        read = {"p_w": Reading(value=float(round(power_w)), measured_s=now_s)}
        shown = counters if counts else {}
        return read | {name: Reading(value=float(int(1e6 + wh)), measured_s=now_s) for name, wh in shown.items()}

    devices = {
        "grid": readings(state.grid_w, e_import_wh=state.import_wh, e_export_wh=state.export_wh),
        "pv": readings(state.pv_w, e_produced_wh=state.pv_wh),
        "battery": {
            **readings(state.battery_w, e_charge_wh=state.charge_wh, e_discharge_wh=state.discharge_wh),
            "soc": Reading(value=state.soc, measured_s=now_s),
        },
    }
    told = SiteState(now_s=now_s, utc_s=state.utc_s, devices=devices)
    return Cycle(number=1, state=told, setpoints=(), load_w=None, late_ms=0.0)


def truth(states: tuple[State, State]) -> dict[str, float]:
    names = {"imported_wh": "import_wh", "exported_wh": "export_wh", "pv_wh": "pv_wh", "used_wh": "load_wh"}
    names |= {"charged_wh": "charge_wh", "discharged_wh": "discharge_wh"}
    return {name: getattr(states[1], one) - getattr(states[0], one) for name, one in names.items()}


def lived(tmp_path: Path, hours: int, *, counts: bool) -> tuple[PeriodAccount, dict[str, float]]:
    kept, house = Kept(), building()
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        accountant = Accountant(metering=METERING, prices=Prices(), past=HistoryStore(outbox), sinks=(kept,))
        edges = []
        for second in range(hours * 3600 + 1):
            state = house.advance(1.0)
            accountant.show(cycle(state, counts=counts))
            if second + 1 in (Q, hours * 3600 - Q):
                edges.append(state)
    found = period(kept.accounts.values(), BEGIN_S + Q, BEGIN_S + hours * 3600 - Q, METERING)
    return found, truth((edges[0], edges[1]))


@pytest.mark.parametrize("counts", [True, False])
def test_energies_are_those_of_the_physics_within_half_a_percent(tmp_path: Path, *, counts: bool) -> None:
    found, true = lived(tmp_path, 12, counts=counts)
    ours = {name: getattr(found, name).value for name in true}
    assert ours == pytest.approx(true, rel=0.005, abs=2.0)  # 2 Wh: powers are whole watts, half a watt for hours
    assert found.imported_wh.trail.is_whole
    assert set(found.imported_wh.trail.sources) == {EnergySource.COUNTER if counts else EnergySource.POWER}
    assert found.flows is not None
    assert found.flows.pv_to_load_wh + found.flows.battery_to_load_wh + found.flows.grid_to_load_wh == pytest.approx(
        true["used_wh"], rel=0.005
    )
    assert found.cost_eur.value == pytest.approx(0.2 * true["imported_wh"] / 1000, rel=0.005)
    assert 50.0 <= (found.co2_g.value or 0.0) / (true["imported_wh"] / 1000) <= 100.0
    figures = storage_figures(found, 10_000.0)
    assert figures.losses_wh is not None
    assert 0.0 < figures.losses_wh < 0.15 * true["charged_wh"]


async def test_a_restart_goes_on_with_the_counters(tmp_path: Path) -> None:
    kept, house = Kept(), building()
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        past = HistoryStore(outbox)
        for part in range(3):
            accountant = Accountant(metering=METERING, prices=Prices(), past=past, sinks=(kept,))
            for second in range(1300):
                state = house.advance(1.0)
                if second > 100 * part:  # away for a while
                    accountant.show(cycle(state, counts=True))
                if second % 300 == 0:
                    await accountant.write()
    whole = [kept.accounts[BEGIN_S + Q * at].devices["grid"] for at in (1, 2)]
    assert {one.source for one in whole} <= {EnergySource.COUNTER, EnergySource.SPREAD}
    assert None not in {one.given_wh for one in whole}


async def test_a_damaged_note_is_forgotten(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        past = HistoryStore(outbox)
        await past.save_note("accounts", "[" * 100_000)
        Accountant(metering=METERING, prices=Prices(), past=past).show(cycle(building().advance(1.0), counts=True))
