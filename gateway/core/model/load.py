"""A load as control knows it, whatever its kind: constants of its device. How it is planned is in `core.loads`."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Powers that can be set while the load is in one way of working, both ends in it; equal ends: a relay."""

    low_w: float  # W, drawn positive
    high_w: float  # W, drawn positive, above 0

    def __post_init__(self) -> None:
        """Raises ValueError when nothing lies between."""
        if not 0.0 <= self.low_w <= self.high_w or self.high_w <= 0.0:
            raise ValueError(f"a band of powers is low <= high, high above 0: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comfort:
    """Temperatures (°C) between which a load that holds heat is kept."""

    low_c: float  # below it somebody is cold
    high_c: float  # it is full
    hygiene_c: float  # it is full while it is heated through against legionella; `high_c` where nothing is
    resume_k: float  # so much below the top it takes again (K)


class Load(Protocol):
    """A load as control knows it: constants of its device."""

    @property
    def id(self) -> str:
        """Its name in the site file and in plans."""

    @property
    def bands(self) -> tuple[Band, ...]:
        """The powers that can be set."""

    @property
    def minimum_up_s(self) -> float:
        """Minimum up time (s)."""

    @property
    def minimum_down_s(self) -> float:
        """Minimum down time (s)."""

    @property
    def presence_point(self) -> str | None:
        """The point that tells whether it is there (from 0.5 on); None for what is always there."""

    @property
    def comfort(self) -> Comfort | None:
        """Its temperatures, told as the point `temp_c`; None for a load that holds no heat."""
