"""A load as control knows it, whatever its kind: constants of its device. How it is planned is in `core.loads`."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A range of powers in one way of working, both ends included; equal ends: a relay."""

    low_w: float  # W, drawn positive
    high_w: float  # W, drawn positive, above 0

    def __post_init__(self) -> None:
        """Raises ValueError when nothing lies between."""
        if not 0.0 <= self.low_w <= self.high_w or self.high_w <= 0.0:
            raise ValueError(f"a band of powers is low <= high, high above 0: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comfort:
    """Temperatures (°C) between which a load that holds heat is kept."""

    low_c: float  # below it the load is too cold
    high_c: float  # at it the load takes no more heat
    hygiene_c: float  # the same while it is heated against legionella; `high_c` where there is no such heating
    resume_k: float  # how far below the highest temperature it takes heat again (K)


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
        """The point that says whether the load is there (from 0.5 on); None for a load that is always there."""

    @property
    def comfort(self) -> Comfort | None:
        """Its temperatures, read as the point `temp_c`; None for a load that holds no heat."""
