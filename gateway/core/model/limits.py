"""What the connection and the circuits behind it bear, and what narrows that for a while."""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gateway.core.model.state import SiteState


class LimitPlace(NamedTuple):
    """Where power is limited: at the connection or at a circuit, in all or on one phase."""

    circuit: str | None = None  # None: the connection
    phase: int | None = None  # 1 to 3; None: all phases together

    @property
    def name(self) -> str:
        """As people are told; empty for the connection in all."""
        phase = "" if self.phase is None else f"L{self.phase}"
        return " ".join(part for part in (self.circuit or "", phase) if part)


CONNECTION = LimitPlace()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that may flow (W, 0 or above); infinite where nothing limits it."""

    import_w: float = math.inf  # drawn, all phases together
    export_w: float = math.inf  # given back, all phases together
    phase_import_w: float = math.inf  # drawn on each phase
    phase_export_w: float = math.inf  # given back on each phase

    def narrowed(self, other: "Limits") -> "Limits":
        """The stricter one of each."""
        return Limits(
            import_w=min(self.import_w, other.import_w),
            export_w=min(self.export_w, other.export_w),
            phase_import_w=min(self.phase_import_w, other.phase_import_w),
            phase_export_w=min(self.phase_export_w, other.phase_export_w),
        )


UNLIMITED = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """A part of the wiring behind a breaker of its own."""

    id: str  # its name in the site file
    parent: str | None  # the circuit that feeds it; None: the connection
    limits: Limits  # of its breaker and cable
    devices: frozenset[str]  # all that are known behind it, also behind the circuits that it feeds
    meter: str | None = None  # the device that measures all of it; None: the sum of its devices stands for it


class LimitSource(Protocol):
    """Something that narrows the limits of a place for a while: hours, a tariff period, a contact, a message."""

    @property
    def circuit(self) -> str | None:
        """The circuit whose limits it narrows; None: those of the connection."""

    @property
    def strictest(self) -> Limits:
        """What holds while it is silent."""

    def limits(self, state: SiteState) -> Limits | None:
        """What it says for this moment, `UNLIMITED` where nothing is narrowed; None while it is silent."""


def narrowed_by(limits: Limits, circuit: str | None, sources: tuple[LimitSource, ...], state: SiteState) -> Limits:
    """The limits of a circuit, or of the connection, at this moment."""
    for source in sources:
        if source.circuit == circuit:
            limits = limits.narrowed(source.limits(state) or source.strictest)
    return limits
