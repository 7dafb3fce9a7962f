"""What a battery did, as far as anybody knows: its reports, its set-points, and the path the set-points should give."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.core.model.site import Battery

SETTLE_S = 1.5  # beyond dead time and ramp: the report's own period and the node's write
SLACK_S = 0.1  # by which a set-point may arrive sooner or later than planned
MISFIT_W = 60.0  # beyond meters' noise and the dead band of a converter
FITTING = 3  # so many reports in a row on the path: the model is believed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Battery power (W, charging positive) at a monotonic moment: reported, or commanded."""

    at_s: float
    power_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """One battery's recent past, oldest first; `path` has the corners of the expected power, straight in between."""

    reported: tuple[Sample, ...] = ()
    commanded: tuple[Sample, ...] = ()
    path: tuple[Sample, ...] = ()
    fitting: int = 0  # reports in a row that lay on the path

    @property
    def is_believed(self) -> bool:
        """Whether the battery does what the model of it says."""
        return self.fitting >= FITTING


def reported(motion: Motion, sample: Sample, oldest_s: float) -> Motion:
    """Take a report in, if it is a new one; forget what is older than `oldest_s`."""
    if motion.reported and sample.at_s <= motion.reported[-1].at_s:
        return forget(motion, oldest_s)
    low, high = path_range_w(motion.path, sample.at_s - SLACK_S, sample.at_s + SLACK_S)
    fits = low - MISFIT_W <= sample.power_w <= high + MISFIT_W
    fitting = min(motion.fitting + 1, FITTING) if fits and motion.path else 0
    path = motion.path
    if not path or (not fits and not _on_the_way(path, sample.at_s)):
        path = (sample,)  # it rests somewhere else than told: what it does next starts there
    motion = replace(motion, reported=(*motion.reported, sample), path=path, fitting=fitting)
    return forget(motion, oldest_s)


def commanded(motion: Motion, sample: Sample, battery: Battery, oldest_s: float) -> Motion:
    """Take a set-point in; the same one again changes nothing."""
    commands = motion.commanded
    if commands and commands[-1].power_w == sample.power_w:
        return replace(motion, commanded=(*(c for c in commands[:-1] if c.at_s >= oldest_s), commands[-1]))
    start_s = sample.at_s + battery.dead_time_s
    start_w = path_at_w(motion.path, start_s)
    travel_s = abs(sample.power_w - start_w) / battery.ramp_w_per_s
    path = (
        *(corner for corner in motion.path if corner.at_s < start_s),
        Sample(at_s=start_s, power_w=start_w),
        Sample(at_s=start_s + travel_s, power_w=sample.power_w),
    )
    recent = tuple(command for command in commands if command.at_s >= oldest_s)
    return replace(motion, commanded=(*recent, sample), path=path)


def forget(motion: Motion, oldest_s: float) -> Motion:
    """Without what lies before `oldest_s`, but for the last corner and report before it."""
    path = motion.path
    while len(path) > 1 and path[1].at_s < oldest_s:
        path = path[1:]
    kept = tuple(sample for sample in motion.reported if sample.at_s >= oldest_s)
    return replace(motion, reported=kept, path=path)


def path_at_w(path: Sequence[Sample], at_s: float) -> float:
    """Expected power at a moment; before the first corner and after the last one theirs, 0 without any."""
    if not path:
        return 0.0
    index = bisect_right(path, at_s, key=lambda corner: corner.at_s)
    if index == 0:
        return path[0].power_w
    before = path[index - 1]
    if index == len(path):
        return before.power_w
    after = path[index]
    share = (at_s - before.at_s) / (after.at_s - before.at_s)
    return before.power_w + share * (after.power_w - before.power_w)


def path_range_w(path: Sequence[Sample], first_s: float, last_s: float) -> tuple[float, float]:
    """Lowest and highest expected power from `first_s` to `last_s`."""
    powers = [corner.power_w for corner in path if first_s < corner.at_s < last_s]
    powers += [path_at_w(path, first_s), path_at_w(path, last_s)]
    return min(powers), max(powers)


def power_range_w(motion: Motion, battery: Battery, first_s: float, last_s: float) -> tuple[float, float]:
    """Lowest and highest power the battery may have had between two moments.

    From the path while the battery keeps to it; else from all reports around and all set-points that may have been
    under way. Without any report the set-points stand alone; without both the battery counts as idle.
    """
    if motion.is_believed:
        return path_range_w(motion.path, first_s - SLACK_S, last_s + SLACK_S)
    powers = [sample.power_w for sample in _around(motion.reported, first_s, last_s)]
    powers += [sample.power_w for sample in _under_way(motion.commanded, first_s, last_s, battery)]
    powers = powers or [0.0]
    return min(powers), max(powers)


def _on_the_way(path: Sequence[Sample], at_s: float) -> bool:
    return path[-1].at_s + SETTLE_S > at_s


def _around(samples: Sequence[Sample], first: float, last: float) -> list[Sample]:
    """Samples inside the window and the neighbour on each side: between two reports everything may have happened."""
    inside = [i for i, sample in enumerate(samples) if first <= sample.at_s <= last]
    start = inside[0] if inside else sum(sample.at_s < first for sample in samples)
    stop = inside[-1] + 1 if inside else start
    return list(samples[max(0, start - 1) : stop + 1])


def _under_way(commands: Sequence[Sample], first: float, last: float, battery: Battery) -> list[Sample]:
    """Commands whose effect may have been on its way during the window; where the first one came from is not known."""
    found = []
    travel_w = battery.charge_max_w + battery.discharge_max_w
    for i, command in enumerate(commands):
        travel_w = abs(command.power_w - commands[i - 1].power_w) if i else travel_w
        travel_s = travel_w / battery.ramp_w_per_s
        done = command.at_s + battery.dead_time_s + travel_s + SETTLE_S
        if command.at_s <= last and done >= first:
            found.append(command)
    return found
