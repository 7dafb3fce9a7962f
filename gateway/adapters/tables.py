"""Site file and profiles -> the poll table of each node, and the way back from its block numbers to points."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.adapters.profiles import TYPES, Point, Profile, Write
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
    """What a block number of a table means."""

    device: str
    profile: Profile
    points: tuple[Point, ...]
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
    units, rows, blocks = [], [], []
    actuators: list[dict[str, object]] = []
    numbers: dict[str, int] = {}
    for unit, wiring in enumerate(wirings):
        if wiring.bus not in buses:
            buses.append(wiring.bus)
        units.append({"bus": buses.index(wiring.bus), "id": wiring.unit, "wfc": wiring.profile.write_function})
        for block in _blocks(wiring):
            blocks.append(block)
            rows.append(_row(unit, block))
        if wiring.profile.setpoint and wiring.range_w:
            numbers[wiring.device] = len(actuators)
            actuators.append(_actuator(unit, wiring.profile, wiring.range_w, lease_ms))
    table = {"v": wire.VERSION, "node": node, "buses": buses, "units": units, "blocks": rows, "actuators": actuators}
    text = json.dumps(table, separators=(",", ":"))
    wire.parse(text)
    return NodeTable(node=node, text=text, identity=wire.identity(text), blocks=tuple(blocks), actuators=numbers)


def remembered(table: NodeTable) -> str:
    """What `recalled` needs of a table, to be kept for records that come after it was replaced."""
    profiles = {block.device: block.profile.model_dump(mode="json", by_alias=True) for block in table.blocks}
    blocks = [
        [block.device, [block.profile.points.index(point) for point in block.points], block.first, block.count]
        for block in table.blocks
    ]
    return json.dumps({"profiles": profiles, "blocks": blocks}, separators=(",", ":"))


def recalled(text: str) -> tuple[Block, ...]:
    """The blocks of a former table, by number; none when this version cannot read its profiles any more."""
    kept = json.loads(text)
    try:
        profiles = {device: Profile.model_validate(profile) for device, profile in kept["profiles"].items()}
    except ValueError:
        return ()
    return tuple(
        Block(
            device=device,
            profile=profiles[device],
            points=tuple(profiles[device].points[i] for i in points),
            first=first,
            count=count,
            every_s=0.0,
        )
        for device, points, first, count in kept["blocks"]
    )


def raw_setpoint(profile: Profile, power_w: float) -> list[int]:
    """The values of an order: the power (W, charging positive) in the product's own scale and sign."""
    if profile.setpoint is None:
        raise ValueError(f"{profile.id} takes no set-points")
    target = profile.setpoint.point
    return [round(power_w / (target.scale * target.sign))]


def _blocks(wiring: Wiring) -> Iterable[Block]:
    """Points of one kind and period, merged where they are near; longest periods last."""
    profile = wiring.profile
    groups: dict[tuple[float, str, int], list[Point]] = {}
    for point in sorted(profile.points, key=lambda p: p.span):
        groups.setdefault((point.every_s, point.table, point.model or 0), []).append(point)
    for (every_s, _, _), points in sorted(groups.items()):
        for run in _runs(points, most=profile.max_registers, gap=profile.merge_gap):
            first, end = run[0].span[0], max(p.span[1] for p in run)
            if profile.even_reads:
                first, end = first - first % 2, end + end % 2
            yield Block(
                device=wiring.device,
                profile=profile,
                points=tuple(run),
                first=first,
                count=end - first,
                every_s=every_s,
            )


def _runs(points: Sequence[Point], *, most: int, gap: int) -> Iterable[list[Point]]:
    run: list[Point] = []
    for point in points:
        end = max((p.span[1] for p in run), default=0)
        if run and (point.span[0] - end > gap or point.span[1] - run[0].span[0] > most - 1):
            yield run
            run = []
        run.append(point)
    yield run


def _row(unit: int, block: Block) -> dict[str, int]:
    point = block.points[0]
    row = {"u": unit, "fc": 4 if point.table == "input" else 3, "a": block.first, "n": block.count}
    if point.model is not None:
        row["m"] = point.model
    return row | {"ms": round(1000 * block.every_s)}


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
