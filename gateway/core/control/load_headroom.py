"""What loads can be given: surplus that lasts, and what is left under the import limit.

Both are those of the building without batteries and commanded loads, told only while meter and reports agree with what
the loads were told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.core.control.arbiter import WATCHED_S, Surplus, lasting_w, seen
from gateway.core.control.load_memory import Taking, is_settled, most_drawn_w
from gateway.core.model.levels import Storage
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import Site
from gateway.core.model.state import SiteState

SETTLE_S = 10.0  # beyond the meter's delay: a car that wakes up, its report every 2 s, and the node between
PROBE_W = 300.0  # what a running load takes more, to see whether the sun that is held back can give it


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What can be given out (W): of the surplus, and in all under the import limit."""

    surplus_w: float
    import_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is decided on. `net_w`: the building without its commanded batteries (W). `wants`: by the id of the load.

    `battery_most_w`: what the batteries can take of the surplus. `storage` is None where no battery is commanded.
    `held_w`: what the sun may give more, because it is held back now.
    """

    state: SiteState
    site: Site
    slot: Slot | None
    wants: Mapping[str, LoadSlot]
    net_w: float
    storage: Storage | None
    battery_most_w: float
    held_w: float = 0.0

    @property
    def settle_s(self) -> float:
        """After so long meter and reports show what a load was told."""
        return settle_s(self.site)


def settle_s(site: Site) -> float:
    """The longest time until meter and reports show what a load was told."""
    return SETTLE_S + site.meter_delay_s[1] + max((load.pause_s for load in site.loads), default=0.0)


def opened(taking: Taking, books: tuple[str, ...]) -> Taking:
    """With the surplus of other books forgotten: it is another one when a load or battery is commanded or no more."""
    return taking if taking.books == books else replace(taking, surplus=Surplus(), room=Surplus(), books=books)


def observed(taking: Taking, scene: Scene, drawn_w: Mapping[str, float]) -> Taking:
    """With this moment's surplus and room (W), if every load is where it was told to be."""
    if not is_settled(taking, scene.state.now_s, scene.settle_s):
        return taking
    base_w = scene.net_w - sum(drawn_w.values())
    kept_w = base_w + _beyond_w(drawn_w, taking, scene)
    now_s, site = scene.state.now_s, scene.site
    return replace(
        taking,
        base_w=base_w,
        surplus=seen(taking.surplus, now_s, site.grid_setpoint_w - kept_w + _hidden_w(scene, taking)),
        room=seen(taking.room, now_s, site.import_limit_w - kept_w),
    )


def allowed_w(drawn_w: Mapping[str, float], taking: Taking, scene: Scene) -> float:
    """What all loads may be told under the import limit (W), batteries left out: they may be empty any moment."""
    now_s, within_s = scene.state.now_s, scene.settle_s
    most_w = sum(most_drawn_w(taking.told.get(id_), taking.shown_w(id_), now_s, within_s) for id_ in drawn_w)
    base_w = scene.net_w - most_w + _beyond_w(drawn_w, taking, scene)
    return max(scene.site.import_limit_w - base_w, 0.0)


def surplus_w(taking: Taking, drawn_w: Mapping[str, float]) -> float:
    """What can be given out of the surplus (W). After a start nothing new is, until it has been watched long enough."""
    given_w = sum(taking.told[id_].power_w if id_ in taking.told else each_w for id_, each_w in drawn_w.items())
    moments = [at_s for at_s, _ in taking.surplus.seen]
    is_watched = bool(moments) and moments[-1] - moments[0] >= WATCHED_S / 2
    found_w = lasting_w(taking.surplus, given_w)
    return found_w if is_watched else min(found_w, given_w)


def room_w(taking: Taking, allowed_w: float) -> float:
    """The least that was left under the import limit lately (W), and what is allowed now."""
    return max(min((*(room_w for _, room_w in taking.room.seen), allowed_w)), 0.0)


def _beyond_w(drawn_w: Mapping[str, float], taking: Taking, scene: Scene) -> float:
    """What loads draw beyond what they were told long enough ago (W), and therefore nobody can give out.

    Their own thermostat or boost is at work, or the voltage is above that which amperes were reckoned with.
    """
    told = {id_: taking.told[id_] for id_ in drawn_w if id_ in taking.told}
    done = [id_ for id_, one in told.items() if scene.state.now_s - one.since_s >= scene.settle_s]
    return sum(max(drawn_w[id_] - told[id_].power_w, 0.0) for id_ in done)


def _hidden_w(scene: Scene, taking: Taking) -> float:
    """Surplus (W) that nobody sees because the sun is held back: what the plan means loads to begin with, then steps.

    Where it is not there, the sun is no longer at its limit once they draw, and they get what there is.
    """
    planned = {id_: want.power_w for id_, want in scene.wants.items() if want.power_w > taking.told_w(id_)}
    steps = (w if taking.told_w(id_) <= 0.0 else min(PROBE_W, w - taking.told_w(id_)) for id_, w in planned.items())
    return min(scene.held_w, sum(steps))
