"""What the meters and the bill say of a way through a record: for each month, and for all of it."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats, Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Sums of a time. Energies in kWh at the terminals; import + PV = load + export + losses + stored.

    `cost_eur` is the bill of import less what export brings, without standing charges. `co2_kg` is that of the
    imported energy; None where it is unknown. `weighed_eur` is the cost as the goals weigh it; None where the bill is
    the only goal.
    """

    days: float
    load_kwh: float
    pv_kwh: float
    import_kwh: float
    export_kwh: float
    charged_kwh: float
    discharged_kwh: float
    losses_kwh: float
    stored_kwh: float
    cost_eur: float
    cycles: float
    co2_kg: float | None = None
    weighed_eur: float | None = None

    @property
    def goal_eur(self) -> float:
        """What was planned for."""
        return self.cost_eur if self.weighed_eur is None else self.weighed_eur

    @property
    def self_consumption(self) -> float | None:
        """Share of the PV that was not exported; None without PV."""
        return max(0.0, 1.0 - self.export_kwh / self.pv_kwh) if self.pv_kwh > 1e-9 else None

    @property
    def self_sufficiency(self) -> float | None:
        """Share of the load that was not imported; None without load."""
        return max(0.0, 1.0 - self.import_kwh / self.load_kwh) if self.load_kwh > 1e-9 else None

    def as_dict(self) -> dict[str, Any]:
        """For JSON, rounded to what can be meant."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        named |= {"self_consumption": self.self_consumption, "self_sufficiency": self.self_sufficiency}
        return {name: None if value is None else round(value, 4) for name, value in named.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meters:
    """What all ways through a record share: powers (W), prices (EUR/kWh) and CO2 (g/kWh) of each counted step.

    `months`: the place of each step's month, rising from 0. `weighed`: `buy` and `sell` by goals.
    """

    hours: float
    load_w: Floats
    pv_w: Floats
    buy: Floats
    sell: Floats
    months: NDArray[np.intp]
    co2: Floats | None = None
    weighed: tuple[Floats, Floats] | None = None

    @property
    def net_w(self) -> Floats:
        """Load and PV together."""
        return np.asarray(self.load_w + self.pv_w)

    def accounts(self, storage: Storage | None, power_w: Floats, energy_wh: Floats, start_wh: float) -> list[Account]:
        """One account for each month, from the storage's power in each step and its energy at the end of it."""
        grid_kwh = (self.net_w + power_w) * (self.hours / 1000.0)
        bought, sold = np.maximum(grid_kwh, 0.0), np.maximum(-grid_kwh, 0.0)
        battery_kwh = power_w * (self.hours / 1000.0)
        stored = np.diff(energy_wh, prepend=start_wh) / 1000.0
        out_of = np.maximum(-stored, 0.0)
        columns = {
            "days": np.full(len(power_w), self.hours / 24.0),
            "load_kwh": self.load_w * (self.hours / 1000.0),
            "pv_kwh": -self.pv_w * (self.hours / 1000.0),
            "import_kwh": bought,
            "export_kwh": sold,
            "charged_kwh": np.maximum(battery_kwh, 0.0),
            "discharged_kwh": np.maximum(-battery_kwh, 0.0),
            "losses_kwh": battery_kwh - stored,
            "stored_kwh": stored,
            "cost_eur": self.buy * bought - self.sell * sold,
            "cycles": out_of / (storage.capacity_wh / 1000.0) if storage else np.zeros(len(power_w)),
        }
        if self.co2 is not None:
            columns["co2_kg"] = bought * self.co2 / 1000.0
        if self.weighed is not None:
            columns["weighed_eur"] = self.weighed[0] * bought - self.weighed[1] * sold
        sums = {name: np.bincount(self.months, weights=values).tolist() for name, values in columns.items()}
        return [Account(**{name: row[i] for name, row in sums.items()}) for i in range(len(sums["days"]))]


def total(accounts: list[Account]) -> Account:
    """All months together."""
    sums: dict[str, float | None] = {}
    for field in fields(Account):
        values = [getattr(account, field.name) for account in accounts]
        sums[field.name] = None if None in values else sum(values)
    return Account(**sums)  # type: ignore[arg-type]  # only CO2 and goals can be None


def score(none_eur: float, way_eur: float, perfect_eur: float) -> float | None:
    """S: the share of what was possible; None where next to nothing was."""
    possible = none_eur - perfect_eur
    return None if possible < 0.005 else (none_eur - way_eur) / possible
