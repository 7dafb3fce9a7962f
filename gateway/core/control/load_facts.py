"""What control must know of a load, whatever its kind: what it can take, and what it says of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from gateway.core.control.arbiter import Consumer
from gateway.core.model.load import Comfort, Load
from gateway.core.model.plan import LoadPurpose, LoadSlot
from gateway.core.model.site import LoadDevice
from gateway.core.model.state import SHOWN_S, Reading, SiteState

SILENT_S = 20.0  # a load whose power is not known for so long gets its own mode: chargers wake up slowly
STATE_S = 120.0  # oldest temperature, or word whether a car is there: they move slowly and are read every few seconds
LEAST_S = 60.0  # least minimum up and down time, whatever the section says: relays wear out


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadView:
    """What a load reports now."""

    power: Reading  # newest, in W drawn; absent where it never came or the read failed
    lately_w: float | None  # the same no older than SILENT_S; None where it is
    is_present: bool = True  # whether there is a car; of other loads there is always one
    is_blind: bool = False  # whether it has a state of its own that is not known now
    temp_c: float | None = None  # of what holds heat; None of other loads, and where it is not known
    phases_w: tuple[float, ...] = ()  # drawn on each phase, no older than SHOWN_S; three where it reports them, or none

    @property
    def drawn_w(self) -> float:
        """Its newest power (W), however old it is; 0 where it is not known."""
        return self.power.value or 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmth:
    """How warm the water or the rooms of a load are, and between what they are kept."""

    temp_c: float  # now
    low_c: float  # the plan keeps it above this one
    high_c: float  # from here on it takes nothing
    again_k: float  # so much below `high_c` it takes energy again once it has stopped, above 0


def consumers(loads: Sequence[Load], requests: Mapping[str, LoadSlot]) -> tuple[Consumer, ...]:
    """The loads as consumers, each with the marginal value of its request; 0 for one without a request."""
    return tuple(
        Consumer(
            id=load.id,
            min_w=min(band.low_w for band in load.bands),
            max_w=max(band.high_w for band in load.bands),
            value=requests[load.id].value if load.id in requests else 0.0,
            dwell_on_s=max(load.minimum_up_s, LEAST_S),
            dwell_off_s=max(load.minimum_down_s, LEAST_S),
        )
        for load in loads
    )


def view_of(load: LoadDevice, state: SiteState) -> LoadView:
    """What a load says of itself in this state of the building."""
    view = LoadView(
        power=state.reading(load.device, "p_w"),
        lately_w=state.value(load.device, "p_w", max_age_s=SILENT_S),
        phases_w=state.phases_w(load.device, max_age_s=SHOWN_S),
    )
    if load.load.presence_point is not None:
        present = state.value(load.device, load.load.presence_point, max_age_s=STATE_S)
        return replace(view, is_present=(present or 0.0) >= 0.5, is_blind=present is None)
    if load.load.comfort is not None:
        temp_c = state.value(load.device, "temp_c", max_age_s=STATE_S)
        return replace(view, is_blind=temp_c is None, temp_c=temp_c)
    return view


def warmth(load: LoadDevice, view: LoadView, request: LoadSlot | None) -> Warmth | None:
    """Of what holds heat; None of other loads, and where its temperature is not known.

    While a tank is heated through against legionella its highest temperature is the one for that.
    """
    comfort = load.load.comfort
    if view.temp_c is None or comfort is None:
        return None
    purpose = LoadPurpose.SERVICE if request is None else request.purpose
    return Warmth(
        temp_c=view.temp_c, low_c=comfort.low_c, high_c=_highest_c(comfort, purpose), again_k=comfort.resume_k
    )


def _highest_c(comfort: Comfort, purpose: LoadPurpose) -> float:
    """The temperature (°C) up to which it is heated for this purpose."""
    match purpose:
        case LoadPurpose.SERVICE:
            return comfort.high_c
        case LoadPurpose.HYGIENE:
            return comfort.hygiene_c
        case _:
            assert_never(purpose)
