"""What flows now through each place that has limits: the connection and its circuits, in all and on each phase."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from gateway.core.control import phases
from gateway.core.control.observe import Observation
from gateway.core.control.phases import PhaseMemory, PhaseUse
from gateway.core.model.limits import Circuit, Limits, LimitPlace
from gateway.core.model.site import Site
from gateway.core.model.state import SHOWN_S, SiteState

PHASES = (1, 2, 3)  # L1 to L3


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
    powers_w = {device: reading.value for device, reading in seen.powers.items() if reading.value is not None}
    connection = Circuit(id="", parent=None, limits=site.limits, devices=frozenset(uses), meter=site.grid)
    found = [*_through(connection, LimitPlace(), uses, powers_w, state, site)]
    for circuit in site.circuits:
        found += _through(circuit, LimitPlace(circuit=circuit.id), uses, powers_w, state, site)
    return tuple(found)


def without_batteries_w(flow: LimitedFlow, powers_w: Mapping[str, float]) -> float | None:
    """The flow without batteries that have these powers (W, charging positive); None where it is not known."""
    if flow.measured_w is None:
        return None
    return flow.measured_w - sum(flow.drawn.get(device, 0.0) * power_w for device, power_w in powers_w.items())


def battery_powers_w(seen: Observation, controlled: Collection[str], net_w: float) -> dict[str, float]:
    """The power (W, charging positive) that each of these batteries has in what the grid meter shows.

    `net_w`: the building without them. Their reports are of other moments; all of them together are known from it.
    """
    powers_w = {id_: seen.batteries[id_].power.value or 0.0 for id_ in controlled}
    grid_w = seen.grid.power.value
    if not powers_w or grid_w is None:
        return powers_w
    amiss_w = (grid_w - net_w - sum(powers_w.values())) / len(powers_w)
    return {id_: power_w + amiss_w for id_, power_w in powers_w.items()}


def _fixed(site: Site) -> Iterator[tuple[str, phases.Shares]]:
    """Batteries and inverters, whose phases are known."""
    for battery in site.batteries:
        yield battery.id, phases.over(() if battery.phase is None else (battery.phase,))
    for device in site.pv:
        yield device, phases.over(site.phases.get(device, ()))


def _through(
    circuit: Circuit,
    place: LimitPlace,
    uses: Mapping[str, PhaseUse],
    powers_w: Mapping[str, float],
    state: SiteState,
    site: Site,
) -> Iterator[LimitedFlow]:
    """The flow in all, where the connection or something limits it, and on each phase that has limits."""
    limits, behind = circuit.limits, {device: use for device, use in uses.items() if device in circuit.devices}
    if place.circuit is None or min(limits.import_w, limits.export_w) < math.inf:
        whole = dict.fromkeys(behind, 1.0)
        known_w = state.value(circuit.meter, "p_w", max_age_s=SHOWN_S) if circuit.meter is not None else None
        known_w = _sum_w(behind, whole, powers_w, site) if circuit.meter is None else known_w
        yield _flow(place, (limits.import_w, limits.export_w), known_w, circuit, whole, whole, state)
    if min(limits.phase_import_w, limits.phase_export_w) == math.inf:
        return
    each_w = state.phases_w(circuit.meter, max_age_s=SHOWN_S) if circuit.meter is not None else ()
    both_w = limits.phase_import_w, limits.phase_export_w
    for phase in PHASES:
        ordered = {device: use.ordered[phase - 1] for device, use in behind.items()}
        drawn = {device: use.drawn[phase - 1] for device, use in behind.items()}
        phase_w = each_w[phase - 1] if each_w else None
        phase_w = _sum_w(behind, drawn, powers_w, site) if circuit.meter is None else phase_w
        yield _flow(LimitPlace(place.circuit, phase), both_w, phase_w, circuit, ordered, drawn, state)


def _flow(
    place: LimitPlace,
    limits_w: tuple[float, float],
    measured_w: float | None,
    circuit: Circuit,
    ordered: Mapping[str, float],
    drawn: Mapping[str, float],
    state: SiteState,
) -> LimitedFlow:
    point = "p_w" if place.phase is None else f"p_l{place.phase}_w"
    silent_s = state.age_s(circuit.meter, point) if measured_w is None and circuit.meter is not None else 0.0
    return LimitedFlow(
        place=place,
        import_limit_w=limits_w[0],
        export_limit_w=limits_w[1],
        measured_w=measured_w,
        silent_s=silent_s,
        ordered=ordered,
        drawn=drawn,
    )


def _sum_w(
    behind: Mapping[str, PhaseUse], drawn: Mapping[str, float], powers_w: Mapping[str, float], site: Site
) -> float:
    """What the devices draw together (W): one that says nothing may draw all that it can, PV then gives nothing."""
    most_w = {load.device: max(band.high_w for band in load.load.bands) for load in site.loads}
    most_w |= {battery.id: battery.charge_max_w for battery in site.batteries}
    return sum(drawn[device] * powers_w.get(device, most_w.get(device, 0.0)) for device in behind)
