"""How a battery answers: what it reported, what it was sent, and the power that should follow from that.

The model is a dead time and a ramp; it is used only while the reports fit it.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from gateway.core.control.observe import BatteryView
from gateway.core.model.site import Battery

# Held by `zen bench closed-loop` (docs/control.md): slow and fast batteries, noisy meters, reports out of step.
SETTLE_S = 1.5  # beyond dead time and ramp until a report must show it: a report each second, and the node's write
SLACK_S = 0.1  # by which a set-point may work sooner or later than the model says
MISMATCH_W = 60.0  # a report this far from the model disproves it: above meters' noise and converters' dead bands
PATH_S = 15.0  # how long a battery's past may matter beside the meter's delay: dead time and ramp of slow ones
REPORT_S = 2.5  # beyond dead time and ramp, until a report that is a second old must show it
MATCHING = 3  # after so many matching reports in a row the model is used: one alone may match by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerSample:
    """Battery power at one moment: reported, set or expected (W, charging positive)."""

    at_s: float  # monotonic
    power_w: float  # charging positive


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryResponse:
    """The recent past of one battery, oldest first: how it follows its set-points."""

    reports: tuple[PowerSample, ...] = ()  # what it said of itself
    setpoints: tuple[PowerSample, ...] = ()  # at the moments they were sent; one for each change
    expected: tuple[PowerSample, ...] = ()  # corners of the power by the model, straight lines in between
    matching: int = 0  # reports in a row that lay on those lines; no more than MATCHING is counted

    @property
    def is_predictable(self) -> bool:
        """Whether the battery does what the model of it says."""
        return self.matching >= MATCHING


def observed(
    before: Mapping[str, BatteryResponse],
    views: Mapping[str, BatteryView],
    *,
    oldest_s: float,
    released: Collection[str],
) -> dict[str, BatteryResponse]:
    """With the newest report of each battery, all by battery id; those that are given back start anew.

    `oldest_s`: what was before that moment no meter is late enough to show.
    """
    found = dict(before)
    for id_, view in views.items():
        response = before.get(id_, BatteryResponse())
        if view.power.value is None:
            response = trimmed(response, oldest_s)
        else:
            sample = PowerSample(at_s=view.power.measured_s, power_w=view.power.value)
            response = with_report(response, sample, oldest_s)
        found[id_] = replace(response, setpoints=(), expected=(), matching=0) if id_ in released else response
    return found


def sent(
    before: Mapping[str, BatteryResponse],
    batteries: Sequence[Battery],
    powers_w: Mapping[str, float],
    *,
    now_s: float,
    delay_s: float,
) -> dict[str, BatteryResponse]:
    """With the powers (W) that are sent to these batteries now; `delay_s` is the longest one of the meter."""
    oldest_s = now_s - 2 * (delay_s + PATH_S)
    found = dict(before)
    for battery in batteries:
        sample = PowerSample(at_s=now_s, power_w=powers_w[battery.id])
        found[battery.id] = with_setpoint(before[battery.id], sample, battery, oldest_s)
    return found


def with_report(response: BatteryResponse, sample: PowerSample, oldest_s: float) -> BatteryResponse:
    """Take a report in, if it is a new one; forget what is older than `oldest_s`."""
    if response.reports and sample.at_s <= response.reports[-1].at_s:
        return trimmed(response, oldest_s)
    low, high = expected_range_w(response.expected, sample.at_s - SLACK_S, sample.at_s + SLACK_S)
    fits = low - MISMATCH_W <= sample.power_w <= high + MISMATCH_W
    matching = min(response.matching + 1, MATCHING) if fits and response.expected else 0
    corners = response.expected
    if not corners or (not fits and not _on_the_way(corners, sample.at_s)):
        corners = (sample,)  # it stays somewhere else than it was sent to: what it does next starts there
    response = replace(response, reports=(*response.reports, sample), expected=corners, matching=matching)
    return trimmed(response, oldest_s)


def with_setpoint(response: BatteryResponse, sample: PowerSample, battery: Battery, oldest_s: float) -> BatteryResponse:
    """Take a set-point in; the same one again changes nothing."""
    setpoints = response.setpoints
    if setpoints and setpoints[-1].power_w == sample.power_w:
        return replace(response, setpoints=(*(c for c in setpoints[:-1] if c.at_s >= oldest_s), setpoints[-1]))
    start_s = sample.at_s + battery.dead_time_s
    start_w = expected_w(response.expected, start_s)
    travel_s = abs(sample.power_w - start_w) / battery.ramp_w_per_s
    corners = (
        *(corner for corner in response.expected if corner.at_s < start_s),
        PowerSample(at_s=start_s, power_w=start_w),
        PowerSample(at_s=start_s + travel_s, power_w=sample.power_w),
    )
    recent = tuple(setpoint for setpoint in setpoints if setpoint.at_s >= oldest_s)
    return replace(response, setpoints=(*recent, sample), expected=corners)


def trimmed(response: BatteryResponse, oldest_s: float) -> BatteryResponse:
    """Without what lies before `oldest_s`, but for the last corner and report before it."""
    corners = response.expected
    while len(corners) > 1 and corners[1].at_s < oldest_s:
        corners = corners[1:]
    kept = tuple(sample for sample in response.reports if sample.at_s >= oldest_s)
    return replace(response, reports=kept, expected=corners)


def expected_w(corners: Sequence[PowerSample], at_s: float) -> float:
    """Expected power at a moment; before the first corner and after the last one theirs, 0 without any."""
    if not corners:
        return 0.0
    index = bisect_right(corners, at_s, key=lambda corner: corner.at_s)
    if index == 0:
        return corners[0].power_w
    before = corners[index - 1]
    if index == len(corners):
        return before.power_w
    after = corners[index]
    share = (at_s - before.at_s) / (after.at_s - before.at_s)
    return before.power_w + share * (after.power_w - before.power_w)


def expected_range_w(corners: Sequence[PowerSample], first_s: float, last_s: float) -> tuple[float, float]:
    """Lowest and highest expected power from `first_s` to `last_s`."""
    powers = [corner.power_w for corner in corners if first_s < corner.at_s < last_s]
    powers += [expected_w(corners, first_s), expected_w(corners, last_s)]
    return min(powers), max(powers)


def power_range_w(response: BatteryResponse, battery: Battery, first_s: float, last_s: float) -> tuple[float, float]:
    """Lowest and highest power the battery may have had between two moments.

    From the model while the battery keeps to it; else from all reports around and all set-points that may have been
    under way. Without any report the set-points stand alone; without both the battery counts as idle.
    """
    if response.is_predictable:
        return expected_range_w(response.expected, first_s - SLACK_S, last_s + SLACK_S)
    powers = [sample.power_w for sample in _around(response.reports, first_s, last_s)]
    powers += [sample.power_w for sample in _under_way(response.setpoints, first_s, last_s, battery)]
    powers = powers or [0.0]
    return min(powers), max(powers)


def beyond_orders_w(response: BatteryResponse, battery: Battery, power_w: float, now_s: float) -> float:
    """What a battery charges beyond all that it may still be on its way to by its set-points (W, 0 or above)."""
    if not response.setpoints:
        return 0.0
    most_w = response.setpoints[-1].power_w
    for before, after in pairwise(response.setpoints):
        travel_s = abs(after.power_w - before.power_w) / battery.ramp_w_per_s
        if after.at_s + battery.dead_time_s + travel_s + REPORT_S >= now_s:  # it may still be where it was sent before
            most_w = max(most_w, before.power_w)
    return max(power_w - most_w - MISMATCH_W, 0.0)


def _on_the_way(corners: Sequence[PowerSample], at_s: float) -> bool:
    return corners[-1].at_s + SETTLE_S > at_s


def _around(samples: Sequence[PowerSample], first: float, last: float) -> list[PowerSample]:
    """Samples inside the window and the neighbour on each side: between two reports everything may have happened."""
    inside = [i for i, sample in enumerate(samples) if first <= sample.at_s <= last]
    start = inside[0] if inside else sum(sample.at_s < first for sample in samples)
    stop = inside[-1] + 1 if inside else start
    return list(samples[max(0, start - 1) : stop + 1])


def _under_way(setpoints: Sequence[PowerSample], first: float, last: float, battery: Battery) -> list[PowerSample]:
    """Commands whose effect may have been on its way during the window; where the first one came from is not known."""
    found = []
    travel_w = battery.charge_max_w + battery.discharge_max_w
    for i, setpoint in enumerate(setpoints):
        travel_w = abs(setpoint.power_w - setpoints[i - 1].power_w) if i else travel_w
        travel_s = travel_w / battery.ramp_w_per_s
        done = setpoint.at_s + battery.dead_time_s + travel_s + SETTLE_S
        if setpoint.at_s <= last and done >= first:
            found.append(setpoint)
    return found
