"""Which of a device's readings may be trusted: none before it has proved itself, and no value that is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.adapters.node.blank_answers import BlankAnswers
from gateway.adapters.node.counters import CounterEvent, Counters
from gateway.adapters.node.poll_tables import Block
from gateway.core.model.state import Reading


@dataclass(slots=True)
class ReadingTrust:
    """`trusted`: the devices that fit their profile; stored by whoever made this."""

    trusted: set[str]
    counters: Counters = field(default_factory=Counters)
    _proved: dict[str, dict[str, bool]] = field(default_factory=dict)  # by device and point: whether its newest fitted
    _blanks: BlankAnswers = field(default_factory=BlankAnswers)

    def check(self, block: Block, registers: Sequence[int], fresh: Mapping[str, Reading]) -> Mapping[str, Reading]:
        """The readings of a block, absent as long as the device is not trusted or where a value cannot be true.

        `registers`: of the answer that they were read from; none of a failed read.
        """
        fresh = self._blanks.check(block, tuple(registers), fresh)
        if block.profile.all_proofs:
            self._prove(block, fresh)
        else:
            self.trusted.add(block.device)  # each group of a telegram has a checksum
        if block.device not in self.trusted:
            return unproven(fresh)
        return {name: self._counted(block, name, reading) for name, reading in fresh.items()}

    def take_events(self) -> list[CounterEvent]:
        """What has happened to counters since the last call."""
        return self.counters.take_events()

    def _prove(self, block: Block, fresh: Mapping[str, Reading]) -> None:
        """A device is trusted from the first proof that fits to one that is impossible while no other one fits.

        A failed read, no value, and one that is possible but proves nothing leave it as it is: sound devices are
        silent, at rest or without mains on one side.
        """
        proved = self._proved.setdefault(block.device, {})
        refuted = False
        for proof in block.profile.all_proofs:
            reading = fresh.get(proof.point)
            if reading is None:
                continue
            if reading.value is not None and proof.holds(reading.value):
                proved[proof.point] = True
                self.trusted.add(block.device)
            elif reading.why == "implausible":
                proved[proof.point] = False
                refuted = True
        if refuted and not any(proved.values()):
            self.trusted.discard(block.device)

    def _counted(self, block: Block, name: str, reading: Reading) -> Reading:
        point = block.profile.point(name)
        return reading if point is None or not point.counter else self.counters.check(block.device, point, reading)


def unproven(fresh: Mapping[str, Reading]) -> Mapping[str, Reading]:
    """The readings of a device whose proof has not been seen: without their values; a failed read keeps its reason."""
    return {
        name: Reading.absent("proof", reading.measured_s) if reading.value is not None else reading
        for name, reading in fresh.items()
    }
