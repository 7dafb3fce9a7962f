"""Which of a device's readings may be trusted: none before its proof fits, and no counter that jumps."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.adapters.node.poll_tables import Block
from gateway.core.model.state import Reading

COUNTER_SLACK_WH = 100.0  # coarse counters step by up to 0.1 kWh
COUNTER_MAX_W = 200_000.0  # no building of ours moves more


@dataclass(slots=True)
class ReadingTrust:
    """`trusted`: the devices that fit their profile; stored by whoever made this."""

    trusted: set[str]
    _counters: dict[tuple[str, str], Reading] = field(default_factory=dict)  # newest, by device and point

    def check(self, block: Block, fresh: Mapping[str, Reading]) -> Mapping[str, Reading]:
        """The readings of a block, absent as long as the device is not trusted or a counter cannot be true."""
        if block.profile.proof is None:
            self.trusted.add(block.device)  # each group of a telegram has a checksum
        else:
            self._prove(block.device, fresh.get(block.profile.proof))
        if block.device not in self.trusted:
            return unproven(fresh)
        return {name: self._plausible(block, name, reading) for name, reading in fresh.items()}

    def _prove(self, device: str, proof: Reading | None) -> None:
        """A device is trusted from the first proof that fits to the first that is impossible."""
        if proof is not None and proof.value is not None:
            self.trusted.add(device)
        elif proof is not None and proof.why == "implausible":
            self.trusted.discard(device)

    def _plausible(self, block: Block, name: str, reading: Reading) -> Reading:
        """A counter may neither go back nor rise faster than any building draws; a changed meter starts anew.

        Records from the node's flash come behind younger ones: those are compared the other way round.
        """
        point = block.profile.point(name)
        if point is None or not point.counter or reading.value is None:
            return reading
        known = self._counters.get((block.device, name))
        is_old = known is not None and reading.measured_s < known.measured_s
        if not is_old:
            self._counters[block.device, name] = reading
        if known is None or known.value is None:
            return reading
        most_wh = COUNTER_SLACK_WH + COUNTER_MAX_W * abs(reading.measured_s - known.measured_s) / 3600
        risen_wh = known.value - reading.value if is_old else reading.value - known.value
        if 0 <= risen_wh <= most_wh:
            return reading
        return Reading.absent("implausible", reading.measured_s)


def unproven(fresh: Mapping[str, Reading]) -> Mapping[str, Reading]:
    """The readings of a device whose proof has not been seen: without their values; a failed read keeps its reason."""
    return {
        name: Reading.absent("proof", reading.measured_s) if reading.value is not None else reading
        for name, reading in fresh.items()
    }
