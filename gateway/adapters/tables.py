"""Site file and profiles -> the poll table of each node, and the way back from its block numbers to points."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.adapters import telegrams
from gateway.adapters.profiles import TYPES, Label, Point, Profile, Write
from gateway.adapters.registers import encode
from gateway.wire import table as wire
from gateway.wire.table import TableError

_FORMAT = {"int16": "h", "uint16": "H", "int32": "i", "uint32": "I"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """One device as it is wired: profile, bus, unit, and the power range it may be ordered (W, charging positive)."""

    device: str
    profile: Profile
    bus: Mapping[str, object]  # an entry of the table's `buses`; equal entries are one bus
    unit: int
    range_w: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What a block number of a table means: points in registers from `first` on, or labels of a telegram."""

    device: str
    profile: Profile
    points: tuple[Point | Label, ...]
    first: int
    count: int
    every_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTable:
    """The table of one node: its text as sent, its identity, blocks by number, actuators by device."""

    node: str
    text: str
    identity: int
    blocks: tuple[Block, ...]
    actuators: Mapping[str, int]


def compile_table(node: str, wirings: Sequence[Wiring], lease_ms: int) -> NodeTable:
    """The poll table of a node that serves these devices. Raises TableError for what no node could do."""
    buses: list[Mapping[str, object]] = []
    units: list[Mapping[str, object]] = []
    rows: list[Mapping[str, object]] = []
    blocks: list[Block] = []
    actuators: list[dict[str, object]] = []
    numbers: dict[str, int] = {}
    for unit, wiring in enumerate(wirings):
        if wiring.bus not in buses:
            buses.append(wiring.bus)
        units.append({"bus": buses.index(wiring.bus), "id": wiring.unit, "wfc": wiring.profile.write_function})
        for block, row in (*_blocks(wiring), *_label_blocks(wiring)):
            blocks.append(block)
            rows.append({"u": unit, **row, "ms": round(1000 * block.every_s)})
        if wiring.profile.setpoint and wiring.range_w:
            numbers[wiring.device] = len(actuators)
            actuators.append(_actuator(unit, wiring.profile, wiring.range_w, lease_ms))
    table = {"v": wire.VERSION, "node": node, "buses": buses, "units": units, "blocks": rows, "actuators": actuators}
    text = json.dumps(table, separators=(",", ":"))
    wire.parse(text)
    return NodeTable(node=node, text=text, identity=wire.identity(text), blocks=tuple(blocks), actuators=numbers)


def raw_setpoint(profile: Profile, power_w: float) -> list[int]:
    """The values of an order: the power (W, charging positive) in the product's own scale and sign."""
    if profile.setpoint is None:
        raise ValueError(f"{profile.id} takes no set-points")
    target = profile.setpoint.point
    return [round(power_w / (target.scale * target.sign))]


def _blocks(wiring: Wiring) -> Iterable[tuple[Block, Mapping[str, object]]]:
    """Points of one kind and period, merged where they are near, with their rows; longest periods last."""
    profile = wiring.profile
    groups: dict[tuple[float, str, int], list[Point]] = {}
    registers = [point for point in profile.points if isinstance(point, Point)]
    for point in sorted(registers, key=lambda p: p.span):
        groups.setdefault((point.every_s, point.table, point.model or 0), []).append(point)
    for (every_s, _, _), points in sorted(groups.items()):
        for run in _runs(points, most=profile.max_registers, gap=profile.merge_gap):
            first, end = run[0].span[0], max(p.span[1] for p in run)
            if profile.even_reads:
                first, end = first - first % 2, end + end % 2
            block = Block(
                device=wiring.device,
                profile=profile,
                points=tuple(run),
                first=first,
                count=end - first,
                every_s=every_s,
            )
            yield block, _row(block, run[0])


def _label_blocks(wiring: Wiring) -> Iterable[tuple[Block, Mapping[str, object]]]:
    """Labels of one period, as many as a block takes; longest periods last."""
    points = [point for point in wiring.profile.points if isinstance(point, Label)]
    for every_s in sorted({point.every_s for point in points}):
        for run in telegrams.runs([point for point in points if point.every_s == every_s], most=wire.MAX_LABELS):
            labels = telegrams.wanted(run)
            block = Block(
                device=wiring.device,
                profile=wiring.profile,
                points=tuple(run),
                first=0,
                count=telegrams.REGISTERS * len(labels),
                every_s=every_s,
            )
            yield block, {"labels": [list(label) for label in labels]}


def _runs(points: Sequence[Point], *, most: int, gap: int) -> Iterable[list[Point]]:
    run: list[Point] = []
    for point in points:
        end = max((p.span[1] for p in run), default=0)
        if run and (point.span[0] - end > gap or point.span[1] - run[0].span[0] > most - 1):
            yield run
            run = []
        run.append(point)
    yield run


def _row(block: Block, point: Point) -> dict[str, object]:
    row: dict[str, object] = {"fc": 4 if point.table == "input" else 3, "a": block.first, "n": block.count}
    return row if point.model is None else row | {"m": point.model}


def _must_fit(profile: Profile, kind: str, value: int) -> None:
    try:
        encode(kind, value, profile.word_order)
    except ValueError as error:
        raise TableError(f"set-points of {profile.id}: {error}: the power limits are too wide for it") from error


def _actuator(unit: int, profile: Profile, range_w: tuple[float, float], lease_ms: int) -> dict[str, object]:
    setpoint = profile.setpoint
    assert setpoint is not None  # noqa: S101 - the caller asked
    ends = [raw_setpoint(profile, power_w)[0] for power_w in range_w]
    for end in ends:
        _must_fit(profile, setpoint.point.type, end)
    swapped = profile.word_order == "little" and TYPES[setpoint.point.type] == 2
    form = _FORMAT[setpoint.point.type] + ("<" if swapped else "")
    refresh_s = lease_ms / 1000 if setpoint.device_timeout_s is None else setpoint.device_timeout_s / 2

    def raw(writes: Sequence[Write]) -> list[list[object]]:
        return [[w.address, encode(w.type, w.value, profile.word_order)] for w in writes]

    return {
        "u": unit,
        "arm": raw(setpoint.arm),
        "set": [[setpoint.point.address, form, min(ends), max(ends)]],
        "go": raw(setpoint.go),
        "safe": raw(setpoint.safe),
        "refresh_ms": round(1000 * refresh_s),
        "ttl_ms": min(lease_ms, wire.TTL_LIMIT_MS),
    }
