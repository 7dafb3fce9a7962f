"""A plan is levels, not powers: four amounts of stored energy that tell a storage what it may do.

Below `charge` it charges from the grid; below `reserve` nothing goes to the building; surplus is taken up to `fill`;
only what lies above `export` is sold. The plain rule of self-consumption is the special case 0, 0, full, full.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Amount = TypeVar("Amount", float, Floats)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What planning knows of a storage: energies in Wh above empty, powers at its terminals, one-way efficiencies."""

    capacity_wh: float
    charge_max_w: float
    discharge_max_w: float
    charge_efficiency: float = 0.95
    discharge_efficiency: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Stored energy in Wh, charge <= reserve <= export and charge <= fill <= export.

    In terms of the method: A = `charge`, D = `reserve`, C = `fill`, F = `export`.
    """

    charge_wh: float
    reserve_wh: float
    fill_wh: float
    export_wh: float

    def __post_init__(self) -> None:
        """Raises ValueError when the levels are out of order: a plan like that must not be followed."""
        inner = (self.reserve_wh, self.fill_wh)
        if not (0.0 <= self.charge_wh <= min(inner) and max(inner) <= self.export_wh):
            raise ValueError(f"levels out of order: {self}")


def plain(storage: Storage) -> Levels:
    """The levels of the plain rule: no grid charging, no reserve, all surplus taken, nothing sold."""
    return Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=storage.capacity_wh, export_wh=storage.capacity_wh)
