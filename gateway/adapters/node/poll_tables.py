"""Site file and profiles -> the poll table of each node, and the way back from its block numbers to points."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.adapters.products import telegrams
from gateway.adapters.products.commands import Setpoint, Write
from gateway.adapters.products.points import COILS, TYPES, Label, Point
from gateway.adapters.products.profiles import Profile
from gateway.adapters.products.registers import encode
from gateway.adapters.products.setpoints import PLAIN, Rating, allowed_w, raw_setpoint
from gateway.wire import table as wire
from gateway.wire.table import TableError

# Number forms of a table's `set` (`gateway.wire.table`).
_FORMAT = {"int16": "h", "uint16": "H", "int32": "i", "uint32": "I"}
# Function codes that read (Modbus Application Protocol V1.1b3, 6.1 to 6.4).
_FUNCTION = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
_LONGEST = ("timeout_ms", "gap_ms")  # fields of a bus that its slowest unit decides
_LENIENT = "lenient"  # the field that one of its units is enough for


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """One device as it is wired: profile, bus, unit, and the power range it may be ordered (W, drawn positive).

    `rating`: what the numbers of its set-points stand in relation to. `bus` is an entry of the table's `buses`. Entries
    of one place are one bus, with the longer times of its devices.
    """

    device: str
    profile: Profile
    bus: Mapping[str, Any]
    unit: int
    range_w: tuple[float, float] | None = None
    rating: Rating = PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What a block number of a table means: `count` registers or coils from `first` on, or labels of a telegram."""

    device: str
    profile: Profile
    points: tuple[Point | Label, ...]
    first: int
    count: int
    every_s: float

    @property
    def registers(self) -> int:
        """Registers of its record."""
        first = self.points[0]
        coils = isinstance(first, Point) and first.table in COILS
        return (self.count + 15) // 16 if coils else self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTable:
    """The table of one node: its text (`numbered` when sent), its identity, blocks by number, actuators by device.

    `ratings`: of the devices that take orders.
    """

    node: str
    text: str
    identity: int  # of the text: the same table is not taken twice (`gateway.wire.table.identity`)
    blocks: tuple[Block, ...]
    actuators: Mapping[str, int]
    ratings: Mapping[str, Rating] = field(default_factory=dict)

    def profile(self, device: str) -> Profile:
        """Of a device of this node; KeyError for another."""
        for block in self.blocks:
            if block.device == device:
                return block.profile
        raise KeyError(device)


def compile_table(node: str, wirings: Sequence[Wiring], lease_ms: int) -> NodeTable:
    """The poll table of a node that serves these devices. Raises TableError for what no node could do."""
    buses: list[dict[str, Any]] = []
    units: list[Mapping[str, object]] = []
    rows: list[Mapping[str, object]] = []
    blocks: list[Block] = []
    actuators: list[dict[str, object]] = []
    numbers: dict[str, int] = {}
    ratings: dict[str, Rating] = {}
    for unit, wiring in enumerate(wirings):
        units.append(_unit(wiring, _join(buses, wiring.bus)))
        for block, row in (*_blocks(wiring), *_label_blocks(wiring)):
            blocks.append(block)
            rows.append({"u": unit, **row, "ms": round(1000 * block.every_s)})
        if wiring.profile.setpoint and wiring.range_w:
            numbers[wiring.device] = len(actuators)
            ratings[wiring.device] = wiring.rating
            actuators.append(_actuator(unit, wiring, wiring.range_w, lease_ms))
    table = {"v": wire.VERSION, "node": node, "buses": buses, "units": units, "blocks": rows, "actuators": actuators}
    text = json.dumps(table, separators=(",", ":"))
    wire.parse(text)
    identity = wire.identity(text)
    return NodeTable(node=node, text=text, identity=identity, blocks=tuple(blocks), actuators=numbers, ratings=ratings)


def numbered(text: str, number: int) -> str:
    """The text of a table as a node takes it: with the number that says how new it is."""
    return f'{{"n":{number},{text[1:]}'


def stored_blocks(table: NodeTable) -> str:
    """What `restored_blocks` needs of a table, to be stored for records that come after it was replaced."""
    profiles = {block.device: block.profile.model_dump(mode="json", by_alias=True) for block in table.blocks}
    blocks = [
        [block.device, [block.profile.points.index(point) for point in block.points], block.first, block.count]
        for block in table.blocks
    ]
    return json.dumps({"profiles": profiles, "blocks": blocks}, separators=(",", ":"))


def restored_blocks(text: str) -> tuple[Block, ...]:
    """The blocks of a former table, by number; none where its profiles cannot be read any more, or it is spoiled."""
    try:
        stored = json.loads(text)
        profiles = {device: Profile.model_validate(profile) for device, profile in stored["profiles"].items()}
        return tuple(
            Block(
                device=device,
                profile=profiles[device],
                points=tuple(profiles[device].points[i] for i in points),
                first=first,
                count=count,
                every_s=0.0,
            )
            for device, points, first, count in stored["blocks"]
        )
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        return ()


def _join(buses: list[dict[str, Any]], bus: Mapping[str, Any]) -> int:
    """The number of a bus, which is added when it is new; of one that is there the longer times hold.

    `lenient` stands in an entry only where it is true.
    """

    def place(entry: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in entry.items() if key not in (*_LONGEST, _LENIENT)}

    for number, known in enumerate(buses):
        if place(known) == place(bus):
            known.update({key: max(known[key], bus[key]) for key in _LONGEST if key in bus})
            known.update({key: value for key, value in bus.items() if key == _LENIENT})
            return number
    buses.append(dict(bus))
    return len(buses) - 1


def _unit(wiring: Wiring, bus: int) -> dict[str, object]:
    """An entry of the table's `units`, without the limits that are none."""
    profile = wiring.profile
    unit: dict[str, object] = {"bus": bus, "id": wiring.unit, "wfc": profile.write_function}
    if profile.max_registers < wire.MAX_REGISTERS:
        unit["max"] = profile.max_registers
    if profile.even_reads:
        unit["even"] = True
    if profile.gap_ms:
        unit["gap_ms"] = profile.gap_ms
    return unit


def _blocks(wiring: Wiring) -> Iterable[tuple[Block, Mapping[str, object]]]:
    """Points of one kind and period, merged where they are near, with their rows; longest periods last."""
    profile = wiring.profile
    groups: dict[tuple[float, str, int], list[Point]] = {}
    for point in sorted(profile.registers, key=lambda p: p.span):
        groups.setdefault((point.every_s, point.table, point.model or 0), []).append(point)
    for (every_s, _, _), points in sorted(groups.items()):
        for run in _runs(profile, points):
            first, end = profile.reach(run)
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
            labels = telegrams.wire_labels(run)
            block = Block(
                device=wiring.device,
                profile=wiring.profile,
                points=tuple(run),
                first=0,
                count=telegrams.REGISTERS * len(labels),
                every_s=every_s,
            )
            yield block, {"labels": [list(label) for label in labels]}


def _runs(profile: Profile, points: Sequence[Point]) -> Iterable[list[Point]]:
    """Points in the order of their addresses, as few reads as the product allows."""
    run = [points[0]]
    for point in points[1:]:
        first, end = profile.reach([*run, point])
        gap = profile.reach([point])[0] - profile.reach(run)[1]
        if gap > profile.merge_gap or end - first > profile.most(point.table):
            yield run
            run = []
        run.append(point)
    yield run


def _row(block: Block, point: Point) -> dict[str, object]:
    row: dict[str, object] = {"fc": _FUNCTION[point.table], "a": block.first, "n": block.count}
    return row if point.model is None else row | {"m": point.model}


def _must_fit(profile: Profile, kind: str, value: int) -> None:
    try:
        encode(kind, value, profile.word_order)
    except ValueError as error:
        raise TableError(f"set-points of {profile.id}: {error}: the power limits are too wide for it") from error


def _actuator(unit: int, wiring: Wiring, range_w: tuple[float, float], lease_ms: int) -> dict[str, object]:
    profile, setpoint = wiring.profile, wiring.profile.setpoint
    assert setpoint is not None  # noqa: S101 - the caller asked
    ends = [raw_setpoint(profile, power_w, wiring.rating)[0] for power_w in allowed_w(profile, range_w, wiring.rating)]
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
        "rb": _read_back(setpoint),
        "refresh_ms": round(1000 * refresh_s) if setpoint.volatile else 0,
        "ttl_ms": min(lease_ms, wire.TTL_LIMIT_MS),
        "min_ms": round(1000 * setpoint.min_write_s),
        "budget": setpoint.writes_per_day or 0,
    }


def _read_back(setpoint: Setpoint) -> list[list[int]]:
    """Rows for the registers that are not read back where they were written."""
    rows = {}
    for register in setpoint.registers:
        if register.write_only:
            rows[register.address] = [register.address, register.address, 0]
        elif register.read_at:
            function = 4 if register.read_at.table == "input" else 3
            rows[register.address] = [register.address, register.read_at.address, function]
    return list(rows.values())
