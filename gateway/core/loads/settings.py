"""How a kind of load says what a user may write of it in `[loads.ID]`: beside each type its bounds and its unit."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldBounds:
    """Bounds of a value in the site file; None: no bound."""

    above: float | None = None  # a number is greater than this
    least: float | None = None  # a number is at least this
    most: float | None = None  # a number is at most this
    pattern: str | None = None  # a regular expression that a text matches
    fewest: int | None = None  # entries of a list
    longest: int | None = None  # entries of a list
    unit: str = ""  # of a number; empty for one without


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """Why a product cannot do what the settings of a load need."""

    key: str  # of the load's section
    found: str  # what stands there, as it is shown
    allowed: str  # what may stand there, in words


Clock = Annotated[str, FieldBounds(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]  # of the building's time zone
DeviceId = Annotated[str, FieldBounds(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
PowerW = Annotated[float, FieldBounds(above=0, most=1_000_000, unit="W")]
PowerOrZeroW = Annotated[float, FieldBounds(least=0, most=1_000_000, unit="W")]
EnergyKwh = Annotated[float, FieldBounds(above=0, most=100_000, unit="kWh")]
EnergyOrZeroKwh = Annotated[float, FieldBounds(least=0, most=100_000, unit="kWh")]
PriceEur = Annotated[float, FieldBounds(least=0, most=100, unit="EUR")]  # of what the key names
Share = Annotated[float, FieldBounds(above=0, most=1)]
ShareOrZero = Annotated[float, FieldBounds(least=0, most=1)]
Seconds = Annotated[float, FieldBounds(least=0, most=86_400, unit="s")]
Celsius = Annotated[float, FieldBounds(least=0, most=95, unit="°C")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonSettings:
    """What all loads have. `device`: a device of role load that measures it and, where it can, is commanded.

    `meter`: another device of role load that measures its power, where its own device does not report it.
    `battery_above`: state of charge from which on the house battery may supply it beyond the surplus; without it never.
    """

    kind: ClassVar[str]  # as the user writes it
    device: DeviceId | None = None  # that meters and obeys; None for a load that is planned and shown only
    meter: DeviceId | None = None  # another device that meters it; None where its own does
    battery_above: ShareOrZero | None = None  # state of charge from which on batteries supply it; None: never

    @property
    def phases_used(self) -> int:
        """Over how many phases a set-point in amperes is spread."""
        return 1

    def misfits(self, unit: str) -> Iterator[Misfit]:
        """What a product cannot do whose set-points are in this unit (W, A, share, switch)."""
        yield from no_charger(self.kind, unit)


def no_charger(kind: str, unit: str) -> Iterator[Misfit]:
    """What is wrong when a product is a charger, and the load no car."""
    if unit == "A":
        allowed = "kind car for a charger, which is set in amperes"
        yield Misfit(key="kind", found=f'"{kind}"', allowed=allowed)
