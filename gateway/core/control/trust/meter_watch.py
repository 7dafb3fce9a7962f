"""All that is known of the grid meter from one cycle to the next: standstill, what is possible, its answers to us."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.core.control.observe import FRESH_S, Observation
from gateway.core.control.trust import balance, meter_proof, own_moves, own_steps, standstill
from gateway.core.control.trust.meter_proof import MeterFacts, MeterProof
from gateway.core.control.trust.own_moves import OwnMoves
from gateway.core.control.trust.own_steps import (
    MOST_S,
    STEP_SHARE,
    STEP_W,
    MeterVerdict,
    OwnSteps,
    Powers,
    StepSize,
)
from gateway.core.control.trust.sent import Sent
from gateway.core.control.trust.standstill import Standstill
from gateway.core.model.site import Battery, Site
from gateway.core.model.state import Reading, Reason, SetPoint

OVER_W = 50.0  # beyond a limit of the grid: more than the noise of meters
REPORT_S = 2.0  # the reports of a device are so far apart: what it did since the last one is not known
NEW_S = 40.0  # of calm: then a meter that has answered nothing since the start is asked
CALM_W = 100.0  # from one second to the next
SEEN_OFTEN = 2  # moves in a row that were seen in time
STEPS_S = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 70.0)  # to which a delay that is longer than configured is rounded up
LATE_SLACK_S = 1.0  # beyond the latest answer that was seen


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterWatch:
    """What is known of the grid meter."""

    standstill: Standstill = field(default_factory=Standstill)  # how long it has shown the same number
    recent: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)
    """The readings of the last seconds of each device behind it, oldest first, by device id."""
    moves: OwnMoves = field(default_factory=OwnMoves)  # its answers to what the batteries do anyway
    pv_moves: OwnMoves = field(default_factory=OwnMoves)  # the same to what PV that takes a limit does
    pv_ordered_w: float = 0.0  # to what that was limited at the sample before, 0 or below
    proof: MeterProof = field(default_factory=MeterProof)  # what is thought of it
    last: Powers | None = None  # at the newest sample that was judged; None where something was not known
    calm_s: float = -math.inf  # monotonic moment since which the building has been calm
    sample_s: float = -math.inf  # the same of the newest one
    late_s: float = 0.0  # so late it is known to be, whatever the site file says; 0: not known to be

    @property
    def ask_w(self) -> float | None:
        """What the batteries are sent together to ask it (W, charging positive); None while it is not asked."""
        steps = self.proof.steps
        return None if steps is None else steps.order_w

    @property
    def is_timely(self) -> bool:
        """Whether it has shown our own moves within the delay that is reckoned with."""
        return self.moves.seen >= SEEN_OFTEN

    def delay_s(self, site: Site) -> tuple[float, float]:
        """Least and most lag of its registers: as configured, or later where that is known by now."""
        low_s, high_s = site.meter_delay_s
        needed_s = max(self.late_s, low_s + self.standstill.hold_s)
        # in a few steps: what is learned inside a range is lost with the range
        rounded_s = next((step_s for step_s in STEPS_S if step_s >= needed_s), needed_s)
        return low_s, high_s if needed_s <= high_s else rounded_s


def watched(
    before: MeterWatch,
    seen: Observation,
    site: Site,
    sent: Sent,
    able: Collection[str],
) -> MeterWatch:
    """After the readings of this cycle.

    `able`: the batteries that may be controlled as far as they are concerned.
    """
    powers_w = {device: one.value for device, one in seen.powers.items() if one.value is not None}
    watch = replace(
        before,
        standstill=standstill.stood(before.standstill, powers_w, site.grid, seen.now_s),
        recent=_recent(before.recent, seen, site),
    )
    sample = seen.grid.power
    if seen.grid.fresh_w is None or sample.measured_s <= before.sample_s:
        return watch
    return _judged(replace(watch, sample_s=sample.measured_s), seen, site, sent, able)


def _judged(
    watch: MeterWatch,
    seen: Observation,
    site: Site,
    sent: Sent,
    able: Collection[str],
) -> MeterWatch:
    """After a new sample: whether it can be, and whether it answers what the batteries did."""
    batteries = [battery for battery in site.batteries if battery.id in able]
    now = _powers(seen, site, [battery.id for battery in batteries], watch.recent)
    size = _step_size(seen, site, batteries if now else [])
    steps, verdict, moves = watch.proof.steps, None, watch.moves
    if now is not None:
        ordered_w = _ordered_w(sent.last, batteries) if steps is None else None
        moves = own_moves.watched(
            watch.moves,
            now,
            ordered_w=ordered_w,
            wait_s=size.wait_s,
            is_new=watch.proof.is_new,
            is_off=_is_off(seen, site),
        )
    pv_ordered_w = -_pv_limit_w(sent, site)
    pv_moves = _pv_moves(watch, seen, site, pv_ordered_w, size.wait_s)
    if steps is not None:
        steps, verdict = _asked(steps, now, size, seen, batteries)
    is_asked_in_vain = verdict is not None and not verdict.is_clear and bool(batteries)
    if is_asked_in_vain and (moves.is_mirrored or pv_moves.is_mirrored):
        verdict = MeterVerdict(reason=Reason(code="meter_reversed"))  # no step was possible that could clear it of that
    is_new = watch.proof.is_new and moves.seen == 0 and not (verdict and verdict.is_clear and verdict.reason is None)
    calm_s = _calm_s(watch, now, seen.now_s)
    facts = MeterFacts(
        now_s=seen.now_s,
        impossible=_impossible(balance.implied_loads(seen, site, watch.recent, sent.responses)),
        contradicts=moves.contradicts or pv_moves.reverses,
        is_silent=is_new and seen.now_s - calm_s > NEW_S,
        verdict=verdict,
        is_askable=now is not None or not batteries,
    )
    proof = meter_proof.judged(replace(watch.proof, steps=steps, is_new=is_new), facts)
    if proof.steps is not None and proof.steps.since_s is None:
        proof = replace(proof, steps=_asked(proof.steps, now, size, seen, batteries)[0])
    late_s = verdict.late_s if verdict is not None and verdict.reason is None else 0.0
    known_s = site.meter_delay_s[1] + late_s + LATE_SLACK_S if late_s > LATE_SLACK_S else watch.late_s
    watch = replace(watch, moves=moves, pv_moves=pv_moves, pv_ordered_w=pv_ordered_w)
    return replace(watch, proof=proof, late_s=known_s, last=now, calm_s=calm_s)


def _pv_limit_w(sent: Sent, site: Site) -> float:
    """What the inverters that take a limit may give together now."""
    return sum(one.rated_w for one in site.curtailable) if sent.pv_limit_w is None else sent.pv_limit_w


def _pv_moves(watch: MeterWatch, seen: Observation, site: Site, ordered_w: float, wait_s: float) -> OwnMoves:
    """After one more sample: its answers to what PV does when its limit changes. Only what is reversed counts of them.

    The sun moves PV, too, and loads that a limit follows move with it.
    """
    now = _powers(seen, site, [inverter.id for inverter in site.curtailable], watch.recent)
    if now is None:
        return watch.pv_moves
    is_step = abs(ordered_w - watch.pv_ordered_w) >= own_moves.MOVE_W
    expected_w = ordered_w if is_step else now.ours_w
    is_asked = watch.proof.steps is not None  # then the batteries move
    return own_moves.watched(
        watch.pv_moves,
        now,
        ordered_w=None if is_asked else expected_w,
        wait_s=wait_s,
        is_new=False,
        is_off=_is_off(seen, site),
    )


def _is_off(seen: Observation, site: Site) -> bool:
    """Whether the grid is shown far from where it is to be."""
    return abs((seen.grid.fresh_w or 0.0) - site.grid_setpoint_w) > own_moves.MOVE_W


def _calm_s(watch: MeterWatch, now: Powers | None, now_s: float) -> float:
    """Since when nothing moves: neither the grid nor the batteries."""
    if now is None or watch.last is None or watch.proof.steps is not None:
        return now_s
    moved_w = max(abs(now.rest_w - watch.last.rest_w), abs(now.ours_w - watch.last.ours_w))
    return now_s if moved_w > CALM_W else watch.calm_s


def _asked(
    steps: OwnSteps, now: Powers | None, size: StepSize, seen: Observation, batteries: Sequence[Battery]
) -> tuple[OwnSteps, MeterVerdict | None]:
    """After one more sample. Without a battery it is believed for what else it says; the unknown is waited for."""
    if not batteries:
        return steps, MeterVerdict(reason=None, is_clear=False)
    if now is None:
        is_too_long = steps.since_s is not None and seen.now_s - steps.begun_s > MOST_S
        return steps, MeterVerdict(reason=None, is_clear=False) if is_too_long else None
    result = own_steps.stepped(steps, now, size, seen.now_s)
    return result.steps, result.verdict


def _recent(before: Mapping[str, tuple[Reading, ...]], seen: Observation, site: Site) -> dict[str, tuple[Reading, ...]]:
    """With the newest readings; what no meter is late enough to show is forgotten, but for one that is older."""
    oldest_s = seen.now_s - site.meter_delay_s[1] - 2 * balance.WINDOW_S
    found = {}
    for device in site.metered:
        kept, reading = before.get(device, ()), seen.powers[device]
        if reading.value is not None and (not kept or reading.measured_s > kept[-1].measured_s):
            kept = (*kept, reading)
        while len(kept) > 1 and kept[1].measured_s < oldest_s:
            kept = kept[1:]
        found[device] = kept
    return found


def _impossible(loads: Sequence[balance.ImpliedLoad]) -> Reason | None:
    """Why no building could draw what the readings say; the total before the phases."""
    for i, load in enumerate(loads):
        if not load.is_possible:
            if i == 0:
                return Reason(code="meter_impossible", numbers={"load_w": load.high_w})
            return Reason(code="phase_impossible", numbers={"load_w": load.high_w, "phase": f"L{i}"})
    return None


def _powers(
    seen: Observation, site: Site, ours: Sequence[str], recent: Mapping[str, Sequence[Reading]]
) -> Powers | None:
    """What the grid shows beside all other devices, and what `ours` do; None where one is old, and without any."""
    readings = {device: seen.powers[device] for device in (site.grid, *site.metered)}
    if not ours or any(one.value is None or seen.now_s - one.measured_s > 2 * FRESH_S for one in readings.values()):
        return None
    values = {device: one.value or 0.0 for device, one in readings.items()}
    others = [device for device in values if device != site.grid and device not in ours]
    at_s = readings[site.grid].measured_s
    return Powers(
        at_s=at_s,
        rest_w=values[site.grid] - sum(values[device] for device in others),
        ours_w=sum(values[id_] for id_ in ours),
        loose_w=sum(_wandered_w(recent[device], at_s - site.meter_delay_s[1] - REPORT_S) for device in others),
    )


def _wandered_w(readings: Sequence[Reading], since_s: float) -> float:
    """Between the least and the most that a device has reported since that moment, and just before it (W)."""
    values = [one.value for i, one in enumerate(readings) if _ends_after(readings, i, since_s)]
    known = [value for value in values if value is not None]
    return max(known) - min(known) if known else 0.0


def _ends_after(readings: Sequence[Reading], index: int, since_s: float) -> bool:
    return index + 1 == len(readings) or readings[index + 1].measured_s > since_s


def _ordered_w(last: Mapping[str, SetPoint], batteries: Sequence[Battery]) -> float | None:
    powers = [last[battery.id].power_w if battery.id in last else None for battery in batteries]
    known = [power_w for power_w in powers if power_w is not None]
    return sum(known) if known and len(known) == len(powers) else None


def _step_size(seen: Observation, site: Site, batteries: Sequence[Battery]) -> StepSize:
    """Steps that these batteries can make together, within their charge and the limits at the grid."""
    high_w = low_w = 0.0
    for battery in batteries:
        soc = seen.batteries[battery.id].soc.value
        high_w += battery.charge_max_w if soc is not None and soc < battery.soc_max - own_steps.ROOM else 0.0
        low_w -= battery.discharge_max_w if soc is not None and soc > battery.reserve + own_steps.ROOM else 0.0
    if seen.grid.fresh_w is not None and batteries:
        battery_w = sum(seen.batteries[one.id].power.value or 0.0 for one in batteries)
        high_w = min(high_w, max(battery_w + site.import_limit_w - seen.grid.fresh_w, low_w))
        low_w = max(low_w, min(battery_w - site.export_limit_w - seen.grid.fresh_w, high_w))
    dead_s = max((one.dead_time_s for one in batteries), default=0.0)
    ramp_w_per_s = min((one.ramp_w_per_s for one in batteries), default=math.inf)
    step_w = min(max(STEP_W, STEP_SHARE * (high_w - low_w) / 2), high_w - low_w)
    wait_s = dead_s + step_w / ramp_w_per_s + own_steps.SETTLE_S + site.meter_delay_s[1]
    grid_w = seen.grid.fresh_w or 0.0
    is_urgent = not -site.export_limit_w - OVER_W <= grid_w <= site.import_limit_w + OVER_W
    return StepSize(step_w=step_w, low_w=low_w, high_w=high_w, wait_s=wait_s, is_urgent=is_urgent)
