"""Sections of a site file about what the connection and its circuits bear, and what narrows that for a while."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway.adapters.products.setpoints import VOLT
from gateway.site.file.section import Section

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Watts = Annotated[float, Field(ge=0, le=10_000_000)]
Amperes = Annotated[float, Field(ge=0, le=40_000)]
PhaseList = Annotated[list[Literal[1, 2, 3]], Field(min_length=1, max_length=3)]
Hours = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
Day = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
KINDS = ("import_limit", "export_limit", "phase_import_limit", "phase_export_limit")


def all_phases() -> list[Literal[1, 2, 3]]:
    """Where nothing else is said."""
    return [1, 2, 3]


class LimitKeys(Section):
    """Limits in W, or in A at 230 V."""

    import_limit_w: Watts | None = None
    import_limit_a: Amperes | None = None
    export_limit_w: Watts | None = None
    export_limit_a: Amperes | None = None
    phase_import_limit_w: Watts | None = None
    phase_import_limit_a: Amperes | None = None
    phase_export_limit_w: Watts | None = None
    phase_export_limit_a: Amperes | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        for kind in KINDS:
            if getattr(self, f"{kind}_w") is not None and getattr(self, f"{kind}_a") is not None:
                raise ValueError(f"{kind}_w or {kind}_a, not both")
        return self

    def watts(self, phases: int) -> dict[str, float]:
        """The limits that are given (W), by kind; `phases`: how many there are. Amperes of all are those of each."""
        found: dict[str, float] = {}
        for kind in KINDS:
            watts, amperes = getattr(self, f"{kind}_w"), getattr(self, f"{kind}_a")
            each_w = None if amperes is None else amperes * VOLT
            if kind.startswith("phase_"):
                given = [one for one in (watts, each_w, found.get(kind)) if one is not None]
                found |= {kind: min(given)} if given else {}
            elif watts is not None or each_w is not None:
                found[kind] = watts if each_w is None else each_w * phases
                found |= {} if each_w is None or phases == 1 else {f"phase_{kind}": each_w}
        return found

    @property
    def limited(self) -> tuple[str, ...]:
        """Which of `KINDS` have a limit."""
        return tuple(
            kind for kind in KINDS if getattr(self, f"{kind}_w") is not None or getattr(self, f"{kind}_a") is not None
        )


class CircuitSection(LimitKeys):
    """A circuit behind a breaker of its own, with the `devices` that are directly behind it.

    `parent`: the circuit that feeds it; without it the connection does. `meter`: a device of role load that measures
    all of it; without one the sum of its devices stands for it. Limits as in `[control]`; `phases`: those that it has.
    """

    parent: Slug | None = None
    meter: Slug | None = None
    devices: list[Slug] = Field(default_factory=list)
    phases: PhaseList = Field(default_factory=all_phases)


class LimitSection(LimitKeys):
    """Narrower limits for a while, of the connection or of a `circuit`: limits as in `[control]`.

    By the local clock: `hours` (`["18:00-20:00"]`), `days` of the week and `season` (first and last day of each year,
    both in); all that are given must hold. Or while one of the prices named by `tariff` holds, such as `["HP"]`; where
    it is not known which one does, the narrower limits hold.
    """

    circuit: Slug | None = None
    hours: Annotated[list[Hours], Field(max_length=12)] = Field(default_factory=list)
    days: Annotated[list[Weekday], Field(max_length=7)] = Field(default_factory=list)
    season: Annotated[list[Day], Field(min_length=2, max_length=2)] | None = None
    tariff: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        by_clock = bool(self.hours or self.days or self.season)
        if by_clock == bool(self.tariff):
            raise ValueError("either tariff, or hours, days or season")
        if not self.limited:
            raise ValueError(f"at least one limit, such as {KINDS[0]}_w")
        if any(hours[:5] == hours[6:] for hours in self.hours):
            raise ValueError("hours that end at another time than they begin")
        return self
