"""The world of the CityLearn Challenge 2022 as version 1.3.6 of the package has it: homes, batteries, score.

Source: intelligent-environments-lab/CityLearn v1.3.6: Battery of energy_model.py, cost_function.py, `evaluate`.
Energies in kWh per hour as there. In the first hour no battery moves: an action set in one hour is felt in the next.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gateway.core.model.levels import Floats

POWER_SHARE, EFFICIENCY = (0.0, 0.3, 0.7, 0.8, 1.0), (0.83, 0.83, 0.9, 0.9, 0.85)  # both ways, of the nominal power
SOC, POWER_LIMIT = (0.0, 0.8, 1.0), (1.0, 1.0, 0.2)  # of the nominal power
LOAD_FACTOR_H = 730


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """Homes side by side: `load_kwh` and `pv_kwh` (both >= 0) of shape (homes, hours), the grid of shape (hours,)."""

    load_kwh: Floats
    pv_kwh: Floats
    price_usd_per_kwh: Floats
    carbon_kg_per_kwh: Floats
    hour: Floats  # 1…24, local clock
    capacity_kwh: Floats
    power_kw: Floats
    capacity_loss: Floats

    @property
    def net_kwh(self) -> Floats:
        """What the grid would give without batteries, shape (homes, hours)."""
        return np.asarray(self.load_kwh - self.pv_kwh)

    def first(self, hours: int) -> "District":
        """The same homes for the first hours only."""
        return District(
            load_kwh=self.load_kwh[:, :hours],
            pv_kwh=self.pv_kwh[:, :hours],
            price_usd_per_kwh=self.price_usd_per_kwh[:hours],
            carbon_kg_per_kwh=self.carbon_kg_per_kwh[:hours],
            hour=self.hour[:hours],
            capacity_kwh=self.capacity_kwh,
            power_kw=self.power_kw,
            capacity_loss=self.capacity_loss,
        )


def read(folder: Path, buildings: Sequence[int]) -> District:
    """The homes of these numbers from `building_NN.csv`, `buildings.csv` and `price_carbon.csv`.

    Raises FileNotFoundError, KeyError (a column or building is not there), ValueError (a cell is no number).
    """
    homes = [_columns(folder / f"building_{number:02d}.csv") for number in buildings]
    rows = {int(row["building"]): row for row in _rows(folder / "buildings.csv")}
    grid = _columns(folder / "price_carbon.csv")
    return District(
        load_kwh=np.array([home["load_kwh"] for home in homes]),
        pv_kwh=np.array([home["pv_kwh"] for home in homes]),
        price_usd_per_kwh=grid["price_usd_per_kwh"],
        carbon_kg_per_kwh=grid["carbon_kg_per_kwh"],
        hour=homes[0]["hour"],
        capacity_kwh=np.array([float(rows[number]["battery_kwh"]) for number in buildings]),
        power_kw=np.array([float(rows[number]["battery_kw"]) for number in buildings]),
        capacity_loss=np.array([float(rows[number]["capacity_loss_coefficient"]) for number in buildings]),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _columns(path: Path) -> dict[str, Floats]:
    rows = _rows(path)
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


class Batteries:
    """The batteries of the homes, all empty at first; energies of shape (homes,)."""

    def __init__(self, district: District) -> None:
        self._new_kwh = district.capacity_kwh
        self._power_kw = district.power_kw
        self._loss = district.capacity_loss
        self.capacity_kwh = district.capacity_kwh.copy()
        self.stored_kwh = np.zeros_like(self.capacity_kwh)

    def move(self, wanted_kwh: Floats) -> Floats:
        """Charge (> 0) or discharge for an hour; what the terminals really saw."""
        limit = self._power_kw * np.interp(self.stored_kwh / self.capacity_kwh, SOC, POWER_LIMIT)
        asked = np.clip(wanted_kwh, -limit, limit)
        one_way = efficiency(np.abs(asked) / self._power_kw)
        after = np.where(
            asked >= 0.0,
            np.minimum(self.stored_kwh + asked * one_way, self.capacity_kwh),
            np.maximum(self.stored_kwh + asked / one_way, 0.0),
        )
        inside = after - self.stored_kwh
        moved = np.where(inside >= 0.0, inside / one_way, inside * one_way)
        self.stored_kwh = after
        self.capacity_kwh = self.capacity_kwh - self._loss * self._new_kwh * np.abs(moved) / (2.0 * self.capacity_kwh)
        return np.asarray(moved)


def efficiency(power_share: Floats) -> Floats:
    """One-way efficiency at a share of the nominal power: the root of the published curve."""
    return np.asarray(np.sqrt(np.interp(power_share, POWER_SHARE, EFFICIENCY)))


class Score(NamedTuple):
    """Each divided by the same without batteries; lower is better."""

    price: float
    emission: float
    grid: float

    @property
    def mean(self) -> float:
        """The challenge's figure."""
        return (self.price + self.emission + self.grid) / 3.0


def score(district: District, net_kwh: Floats) -> Score:
    """What these grid energies of the homes, shape (homes, hours), are worth against no batteries."""
    ours, none = _costs(district, net_kwh), _costs(district, district.net_kwh)
    price, emission, ramping, load_factor = (a / b for a, b in zip(ours, none, strict=True))
    return Score(price, emission, (ramping + load_factor) / 2.0)


def _costs(district: District, net_kwh: Floats) -> tuple[float, float, float, float]:
    whole = net_kwh.sum(axis=0)
    price = np.maximum(whole * district.price_usd_per_kwh, 0.0).sum()
    emission = np.maximum(net_kwh * district.carbon_kg_per_kwh, 0.0).sum()
    windows = np.split(whole, range(LOAD_FACTOR_H, len(whole), LOAD_FACTOR_H))
    factors = [1.0 - window.mean() / window.max() for window in windows]
    return float(price), float(emission), float(np.abs(np.diff(whole)).sum()), float(np.mean(factors))


def shipped_rule(district: District) -> Floats:
    """Grid energies under the package's BasicBatteryRBC: charge 11 % from 6 to 14 h, else give 6.7 %."""
    batteries = Batteries(district)
    net = district.net_kwh.copy()
    for step in range(1, net.shape[1]):
        share = 0.11 if 6 <= district.hour[step - 1] <= 14 else -0.067
        net[:, step] += batteries.move(share * batteries.capacity_kwh)
    return net
