"""What flows now through each place that has limits: the connection and its circuits, in all and on each phase."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from gateway.core.control import phases
from gateway.core.control.observe import Observation
from gateway.core.control.phases import PhaseMemory, PhaseUse
from gateway.core.model.limits import Circuit, LimitPlace
from gateway.core.model.site import Site
from gateway.core.model.state import SHOWN_S, SiteState


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitedFlow:
    """The power through one place, its limits, and what each device adds to it."""

    place: LimitPlace  # where
    import_limit_w: float  # 0 or above
    export_limit_w: float  # 0 or above
    measured_w: float | None  # drawn through it, import positive; None where its meter says nothing
    silent_s: float  # since when its meter has said nothing; 0 while it does
    ordered: Mapping[str, float]  # by device id: for each W that it is sent, the most of it here; others: nothing
    drawn: Mapping[str, float]  # by device id: for each W that it draws, what of it is here; others: nothing
    is_sum: bool = False  # whether it has no meter: then it is what the devices report
    has_curtailable: bool = False  # whether some of its PV can be limited
    import_correction_w: float = 0.0  # so much tighter the limit is held (`limit_guard`), 0 or above
    export_correction_w: float = 0.0  # the same of the other one

    @property
    def import_max_w(self) -> float:
        """What may be drawn; below 0 where that must be made up for."""
        return self.import_limit_w - self.import_correction_w

    @property
    def export_max_w(self) -> float:
        """What may be given back; below 0 likewise."""
        return self.export_limit_w - self.export_correction_w


def limited_flows(state: SiteState, seen: Observation, site: Site, memory: PhaseMemory) -> tuple[LimitedFlow, ...]:
    """The connection first, then its phases and the circuits, as far as they have limits."""
    uses = {device: PhaseUse(ordered=share, drawn=share) for device, share in _fixed(site)}
    uses |= {load.device: phases.use_of(load, memory, site) for load in site.loads}
    connection = Circuit(id="", parent=None, limits=site.limits, devices=frozenset(uses), meter=site.grid)
    found = _through(connection, None, uses, state, seen, site)
    for circuit in site.circuits:
        found += _through(circuit, circuit.id, uses, state, seen, site)
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryPowers:
    """Powers of controlled batteries (W, charging positive), by battery id."""

    reported_w: Mapping[str, float]  # by themselves
    metered_w: Mapping[str, float]  # in what a meter shows, which is of another moment

    def without(self, flow: LimitedFlow) -> float | None:
        """The flow without them (W, import positive); None where it is not known."""
        if flow.measured_w is None:
            return None
        powers_w = self.reported_w if flow.is_sum else self.metered_w
        return flow.measured_w - sum(flow.drawn.get(id_, 0.0) * power_w for id_, power_w in powers_w.items())


def battery_powers(seen: Observation, controlled: Collection[str], net_w: float) -> BatteryPowers:
    """Of these batteries, when the building draws `net_w` without them: from that all of them together are known."""
    reported_w = {id_: seen.batteries[id_].power.value or 0.0 for id_ in controlled}
    grid_w = seen.grid.power.value
    if not reported_w or grid_w is None:
        return BatteryPowers(reported_w=reported_w, metered_w=reported_w)
    amiss_w = (grid_w - net_w - sum(reported_w.values())) / len(reported_w)
    metered_w = {id_: power_w + amiss_w for id_, power_w in reported_w.items()}
    return BatteryPowers(reported_w=reported_w, metered_w=metered_w)


def _fixed(site: Site) -> Iterator[tuple[str, phases.Shares]]:
    """Batteries and inverters, whose phases are known."""
    for battery in site.batteries:
        yield battery.id, phases.over(() if battery.phase is None else (battery.phase,))
    for device in site.pv:
        yield device, phases.over(site.phases.get(device, ()))


def _through(
    circuit: Circuit, id_: str | None, uses: Mapping[str, PhaseUse], state: SiteState, seen: Observation, site: Site
) -> list[LimitedFlow]:
    """The flow in all, where the connection or something limits it, and on each phase that has limits."""
    limits, behind = circuit.limits, {device: use for device, use in uses.items() if device in circuit.devices}
    found = []
    if id_ is None or min(limits.import_w, limits.export_w) < math.inf:
        whole = dict.fromkeys(behind, 1.0)
        found.append(_flow(LimitPlace(id_), circuit, whole, whole, state, seen, site))
    if min(limits.phase_import_w, limits.phase_export_w) < math.inf:
        for i in range(3):
            ordered = {device: use.ordered[i] for device, use in behind.items()}
            drawn = {device: use.drawn[i] for device, use in behind.items()}
            found.append(_flow(LimitPlace(id_, i + 1), circuit, ordered, drawn, state, seen, site))
    return found


def _flow(
    place: LimitPlace,
    circuit: Circuit,
    ordered: Mapping[str, float],
    drawn: Mapping[str, float],
    state: SiteState,
    seen: Observation,
    site: Site,
) -> LimitedFlow:
    limits = circuit.limits
    point = "p_w" if place.phase is None else f"p_l{place.phase}_w"
    meter = circuit.meter
    measured_w = _sum_w(drawn, seen, site) if meter is None else state.value(meter, point, max_age_s=SHOWN_S)
    return LimitedFlow(
        place=place,
        import_limit_w=limits.import_w if place.phase is None else limits.phase_import_w,
        export_limit_w=limits.export_w if place.phase is None else limits.phase_export_w,
        measured_w=measured_w,
        silent_s=state.age_s(meter, point) if measured_w is None and meter is not None else 0.0,
        ordered=ordered,
        drawn=drawn,
        is_sum=meter is None,
        has_curtailable=any(drawn.get(inverter.id, 0.0) > 0.0 for inverter in site.curtailable),
    )


def _sum_w(drawn: Mapping[str, float], seen: Observation, site: Site) -> float:
    """What the devices draw together (W): one that says nothing may draw all that it can, PV then gives nothing."""
    most_w = {load.device: max(band.high_w for band in load.load.bands) for load in site.loads}
    most_w |= {battery.id: battery.charge_max_w for battery in site.batteries}
    total_w = 0.0
    for device, share in drawn.items():
        power_w = seen.powers[device].value
        total_w += share * (most_w.get(device, 0.0) if power_w is None else power_w)
    return total_w
