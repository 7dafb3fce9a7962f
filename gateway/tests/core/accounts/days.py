"""Made-up buildings for the accounts: powers over time, counters that follow them, and what a cycle would show."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.core.accounts.ledger import AccountLedger, take
from gateway.core.accounts.metering import CountedPart, Metering
from gateway.core.accounts.open_quarter import Seen
from gateway.core.accounts.quarter_account import QuarterAccount

BEGIN_S = 1_774_742_400  # Sunday 29 March 2026, 00:00 UTC: in France clocks are set forward an hour later
METERING = Metering(
    parts={"grid": CountedPart.GRID, "pv": CountedPart.PV, "battery": CountedPart.BATTERY, "tank": CountedPart.LOAD},
    loads={"water": "tank"},
    capacity_wh={"battery": 10_000.0},
)
Powers = Callable[[float], Mapping[str, float]]
COUNTED = {
    ("grid", "e_import_wh"): ("grid", 1.0),
    ("grid", "e_export_wh"): ("grid", -1.0),
    ("pv", "e_produced_wh"): ("pv", -1.0),
    ("battery", "e_charge_wh"): ("battery", 1.0),
    ("battery", "e_discharge_wh"): ("battery", -1.0),
    ("tank", "e_import_wh"): ("tank", 1.0),
}


def steady(*, pv: float = 0.0, battery: float = 0.0, tank: float = 0.0, base: float = 500.0) -> dict[str, float]:
    """Powers that add up: the grid gives the rest."""
    return {"pv": -pv, "battery": battery, "tank": tank, "grid": base + tank + battery - pv}


@dataclass(slots=True)
class Day:
    """Lives second by second; counters start at 1 MWh."""

    powers: Powers
    counters: dict[tuple[str, str], float] = field(default_factory=lambda: dict.fromkeys(COUNTED, 1_000_000.0))
    now_s: float = float(BEGIN_S)
    ledger: AccountLedger = field(default_factory=AccountLedger)
    accounts: list[QuarterAccount] = field(default_factory=list)

    def live(
        self,
        seconds: int,
        *,
        step_s: int = 1,
        away: bool = False,
        silent: tuple[str, ...] = (),
        uncounted: tuple[str, ...] = (),
        curtailed: bool = False,
    ) -> None:
        """Let time pass. `away`: the gateway is down. `silent` and `uncounted`: devices without power, or counters."""
        for _ in range(seconds // step_s):
            powers = self.powers(self.now_s)
            self.now_s += step_s
            for key, (device, sign) in COUNTED.items():
                self.counters[key] += max(sign * powers[device], 0.0) * step_s / 3600.0
            if not away:
                self._show(powers, silent, (*silent, *uncounted), curtailed=curtailed)

    def _show(
        self, powers: Mapping[str, float], silent: tuple[str, ...], held: tuple[str, ...], *, curtailed: bool
    ) -> None:
        seen = Seen(
            utc_s=self.now_s,
            powers_w={device: None if device in silent else powers[device] for device in METERING.parts},
            counters={key: (self.now_s, wh) for key, wh in self.counters.items() if key[0] not in held},
            curtailed=curtailed,
            stored_wh=5000.0,
        )
        self.ledger, found = take(self.ledger, seen, METERING)
        self.accounts += found

    def last(self) -> dict[int, QuarterAccount]:
        """The last account of each quarter hour, by how many quarter hours after the begin."""
        return {(one.start_s - BEGIN_S) // 900: one for one in self.accounts}


def total(accounts: Iterator[QuarterAccount], device: str, *, given: bool) -> float:
    """What went through a device; a missing figure is an error."""
    found = [one.devices[device].given_wh if given else one.devices[device].drawn_wh for one in accounts]
    assert None not in found
    return sum(wh for wh in found if wh is not None)
