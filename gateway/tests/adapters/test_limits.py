"""Limits of products: a table beyond them is refused with its place, and what the gateway compiles keeps to them."""

import contextlib
import itertools
import json
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.node.poll_tables import Wiring, compile_table
from gateway.adapters.products.commands import Setpoint, Target, Write
from gateway.adapters.products.points import Point
from gateway.adapters.products.profiles import Profile, ProfileError, find, load
from gateway.adapters.products.registers import readings
from gateway.paths import config_folder
from gateway.wire import table as wire
from gateway.wire.table import TableError

LINE = {"kind": "rtu", "port": "rs485", "baud": 9600, "parity": "N", "stop": 1, "timeout_ms": 300, "gap_ms": 0}
TCP = {"kind": "tcp", "host": "10.0.0.7", "port": 502, "timeout_ms": 1000, "gap_ms": 0}
ACTUATOR = {
    "u": 0,
    "arm": [[10, [1, 2]]],
    "set": [[20, "i", -5000, 5000]],
    "go": [[30, [1]]],
    "safe": [[30, [0]]],
    "refresh_ms": 15000,
    "ttl_ms": 15000,
}
TABLE = {
    "v": 1,
    "node": "cellar",
    "buses": [LINE, TCP],
    "units": [{"bus": 0, "id": 1, "wfc": 16}, {"bus": 1, "id": 3, "wfc": 6}],
    "blocks": [{"u": 0, "fc": 3, "a": 0, "n": 10, "ms": 1000}],
    "actuators": [ACTUATOR],
}


def changed(place: str, value: object) -> dict[str, object]:
    """The table with one entry changed; `place` as `units.0.max`."""
    table = deepcopy(TABLE)
    *parents, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    entry = table
    for part in parents:
        entry = entry[part]
    if isinstance(entry, list) and last == len(entry):
        entry.append(value)
    else:
        entry[last] = value
    return table


def test_the_table_itself_is_right() -> None:
    parsed = wire.parse(json.dumps(TABLE))
    assert {key: parsed[key] for key in TABLE if key != "actuators"} | {"actuators": [ACTUATOR]} == TABLE
    assert parsed["actuators"][0].items() >= ACTUATOR.items()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("v", 3, "v: allowed is this firmware reads version 2"),
        ("n", -1, "n: allowed is a whole number from 0 to 4294967295"),
        ("n", 1.5, "n: allowed is a whole number from 0 to 4294967295"),
        ("n", True, "n: allowed is a whole number from 0 to 4294967295"),
        ("buses", None, "buses: allowed is a list"),
        ("buses.0", 7, r"buses\[0\]: allowed is an object"),
        ("buses.0.kind", "can", r"buses\[0\]\.kind: allowed is one of rtu, tcp, tic"),
        ("buses.0.port", "", r"buses\[0\]\.port: allowed is the name of a serial line"),
        ("buses.0.port", None, r"buses\[0\]\.port: allowed is the name of a serial line"),
        ("buses.0.baud", 9601, r"buses\[0\]\.baud: allowed is one of 1200, 2400"),
        ("buses.0.baud", "9600", r"buses\[0\]\.baud"),
        ("buses.0.baud", None, r"buses\[0\]\.baud"),
        ("buses.0.parity", "X", r"buses\[0\]\.parity: allowed is one of N, E, O"),
        ("buses.0.parity", None, r"buses\[0\]\.parity"),
        ("buses.0.stop", 3, r"buses\[0\]\.stop: allowed is a whole number from 1 to 2"),
        ("buses.0.stop", True, r"buses\[0\]\.stop"),
        ("buses.0.timeout_ms", 3001, r"buses\[0\]\.timeout_ms: allowed is a whole number from 1 to 3000"),
        ("buses.0.gap_ms", 1001, r"buses\[0\]\.gap_ms: allowed is a whole number from 0 to 1000"),
        ("buses.0.gap_ms", 0.5, r"buses\[0\]\.gap_ms"),
        ("buses.1.host", "", r"buses\[1\]\.host: allowed is an address"),
        ("buses.1.host", 7, r"buses\[1\]\.host"),
        ("buses.1.port", 0, r"buses\[1\]\.port: allowed is a whole number from 1 to 65535"),
        ("buses.1.port", "502", r"buses\[1\]\.port"),
        ("buses.2", LINE | {"baud": 19200}, r"buses\[2\]\.port: allowed is a place that no other bus has"),
        ("buses.2", TCP | {"timeout_ms": 1}, r"buses\[2\]\.port: allowed is a place that no other bus has"),
        ("units.0.bus", 2, r"units\[0\]\.bus: allowed is a whole number from 0 to 1"),
        ("units.0.wfc", 22, r"units\[0\]\.wfc: allowed is one of 5, 6, 15, 16, 23"),
        ("units.0.max", 1, r"units\[0\]\.max: allowed is a whole number from 2 to 125"),
        ("units.0.max", 126, r"units\[0\]\.max"),
        ("units.0.even", 1, r"units\[0\]\.even: allowed is one of False, True"),
        ("units.0.gap_ms", 60001, r"units\[0\]\.gap_ms"),
        ("units.0.max", 9, r"blocks\[0\]\.n: allowed is a whole number from 1 to 9"),
        ("units.0.wfc", 15, r"actuators\[0\]\.arm\[0\]: allowed is a whole number from 0 to 1"),
        ("blocks.0.u", 2, r"blocks\[0\]\.u: allowed is a whole number from 0 to 1"),
        ("blocks.0.fc", 5, r"blocks\[0\]\.fc: allowed is one of 1, 2, 3, 4"),
        ("blocks.0.fc", True, r"blocks\[0\]\.fc"),
        ("blocks.0.n", 126, r"blocks\[0\]\.n: allowed is a whole number from 1 to 125"),
        ("blocks.0.a", 65527, r"blocks\[0\]\.a: allowed is a whole number from 0 to 65526"),
        ("blocks.0.ms", 99, r"blocks\[0\]\.ms"),
        ("blocks.0.m", 0, r"blocks\[0\]\.m"),
        ("blocks.1", {"u": 0, "fc": 1, "a": 0, "n": 2001, "ms": 1000}, r"blocks\[1\]\.n: .* from 1 to 2000"),
        ("blocks.1", {"u": 0, "fc": 1, "a": 0, "n": 1, "m": 1, "ms": 1000}, r"blocks\[1\]\.fc: allowed is 3 or 4"),
        ("blocks", [TABLE["blocks"][0]] * 256, "blocks: allowed is a list of at most 255"),  # a record has one byte
        ("actuators.0.u", 2, r"actuators\[0\]\.u"),
        ("actuators.0.set", [], r"actuators\[0\]\.set: allowed is 1 to 16 registers"),
        ("actuators.0.set", [[20, "i", 0]], r"actuators\[0\]\.set\[0\]: allowed is \[address"),
        ("actuators.0.set", [[20, "f", 0, 1]], r"actuators\[0\]\.set\[0\]: allowed is one of h, H, i, I, i<, I<"),
        ("actuators.0.set", [[65535, "i", 0, 1]], r"actuators\[0\]\.set\[0\]: .* from 0 to 65534"),
        ("actuators.0.set", [[20, "h", -32769, 0]], r"actuators\[0\]\.set\[0\] lowest: .* from -32768 to 32767"),
        ("actuators.0.set", [[20, "h", 0, 32768]], r"actuators\[0\]\.set\[0\] highest: .* from 0 to 32767"),
        ("actuators.0.set", [[20, "H", -1, 0]], r"actuators\[0\]\.set\[0\] lowest: .* from 0 to 65535"),
        ("actuators.0.set", [[20, "i<", 0, 2**31]], r"actuators\[0\]\.set\[0\] highest"),
        ("actuators.0.set", [[20, "I", 0, 2**32]], r"actuators\[0\]\.set\[0\] highest"),
        ("actuators.0.set", [[20, "i", 5, 4]], r"actuators\[0\]\.set\[0\] highest: .* from 5 to"),
        ("actuators.0.set", [[20, "i", "0", 4]], r"actuators\[0\]\.set\[0\] lowest"),
        ("actuators.0.go", [[30]], r"actuators\[0\]\.go\[0\]: allowed is \[address, \[words\]\]"),
        ("actuators.0.go", [[30, 1]], r"actuators\[0\]\.go\[0\]: allowed is \[address, \[words\]\]"),
        ("actuators.0.go", [[30, []]], r"actuators\[0\]\.go\[0\]"),
        ("actuators.0.go", [[30, [65536]]], r"actuators\[0\]\.go\[0\]: allowed is a whole number from 0 to 65535"),
        ("actuators.0.safe", 7, r"actuators\[0\]\.safe: allowed is a list"),
        ("actuators.0.set", True, r"actuators\[0\]\.set: allowed is 1 to 16 registers"),
        ("actuators.0.rb", [[[], 0, 3]], r"actuators\[0\]\.rb\[0\]: allowed is a whole number from 0 to 65535"),
        ("actuators.0.ttl_ms", 30001, r"actuators\[0\]\.ttl_ms"),
    ],
)
def test_a_mistake_in_a_table_is_reported_with_its_place_and_what_is_allowed(
    place: str, value: object, message: str
) -> None:
    with pytest.raises(TableError, match=message):
        wire.parse(json.dumps(changed(place, value)))


@pytest.mark.parametrize(
    ("function", "count", "address", "why"),
    [(3, 3, 0, "even count"), (4, 2, 1, "even address"), (3, 2, 2, None), (1, 3, 5, None)],
)
def test_a_unit_that_wants_even_numbers_gets_them(function: int, count: int, address: int, why: str | None) -> None:
    table = changed("units.1.even", True)
    table["blocks"] = [{"u": 1, "fc": function, "a": address, "n": count, "ms": 1000}]
    if why is None:
        wire.parse(json.dumps(table))
    else:
        with pytest.raises(TableError, match=rf"blocks\[0\]\.a: allowed is .*{why}"):
            wire.parse(json.dumps(table))


def test_odd_writes_are_refused_unless_registers_are_written_one_at_a_time() -> None:
    table = changed("units.0.even", True)
    with pytest.raises(TableError, match=r"actuators\[0\]\.go\[0\]: allowed is an even address and an even count"):
        wire.parse(json.dumps(table))
    table["units"][0]["wfc"] = 6
    wire.parse(json.dumps(table))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3), lambda c: st.lists(c, max_size=3)))
def test_nothing_but_a_table_error_comes_of_nonsense(value: object) -> None:
    for place in (
        "buses.0",
        "units.0",
        "blocks.0",
        "actuators.0",
        "actuators.0.set",
        "actuators.0.rb",
        "actuators.0.go",
    ):
        with contextlib.suppress(TableError):
            wire.parse(json.dumps(changed(place, value)))


TYPES = ["int16", "uint16", "int32", "uint32", "float32", "uint64"]


@st.composite
def points(draw: st.DrawFn, number: int, tables: list[str], last: int) -> Point:
    table = draw(st.sampled_from(tables))
    bit = table in ("coil", "discrete")
    address = draw(st.integers(0, last * (8 if bit else 1)))
    exponent = None if bit else draw(st.none() | st.just(address + 3) | st.integers(0, last))
    return Point(
        name=f"p{number}",
        address=address,
        model=None if bit else draw(st.sampled_from([None, None, 103])),
        table=table,
        type="bit" if bit else draw(st.sampled_from(TYPES)),
        sf_address=exponent,
        every_s=draw(st.sampled_from([1, 5])),
        low=0,
        high=1,
    )


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    most = draw(st.integers(70, 125) | st.integers(8, 20))
    even = draw(st.booleans())
    tables = draw(st.sampled_from([["holding"], ["coil"], ["holding", "input", "coil", "discrete"]]))
    last = draw(st.sampled_from([20, 60]))
    chosen = [draw(points(number, tables, last)) for number in range(draw(st.integers(1, 25)))]
    chosen = [p for p in chosen if p.span[1] - p.span[0] + 2 <= most]
    chosen = chosen or [Point(name="p0", address=7, type="int16", every_s=1, low=0, high=1)]
    return Profile.model_validate(
        {
            "schema": "zev-profile/1",
            "id": "x",
            "title": "x",
            "roles": ["load"],
            "links": {},
            "max_registers": most,
            "even_reads": even,
            "merge_gap": draw(st.sampled_from([0, 1, 8, 60])),
            "reply_timeout_ms": 300,
            "proof": chosen[0].name,
            "points": [point.model_dump() for point in chosen],
            "sources": [],
        }
    )


@settings(max_examples=400)
@given(profiles())
def test_every_point_is_read_once_within_limits_and_no_request_could_be_saved(profile: Profile) -> None:
    table = compile_table("n", [Wiring(device="d", profile=profile, bus=LINE, unit=1)], 10_000)
    rows = json.loads(table.text)["blocks"]
    covered = [point.name for block in table.blocks for point in block.points]
    assert sorted(covered) == sorted(point.name for point in profile.points)
    groups: dict[tuple[object, ...], list[tuple[int, int]]] = {}
    for block, row in zip(table.blocks, rows, strict=True):
        first, end = row["a"], row["a"] + row["n"]
        assert all(first <= p.span[0] and p.span[1] <= end for p in block.points)
        assert all((p.every_s * 1000, p.model) == (row["ms"], row.get("m")) for p in block.points)
        coils = row["fc"] in (1, 2)
        assert row["n"] <= (16 if coils else 1) * profile.max_registers
        even = profile.even_reads and not coils
        assert not even or (first % 2, end % 2) == (0, 0)
        groups.setdefault((row["fc"], row["ms"], row.get("m")), []).append((first, end))
    for (function, *_), spans in groups.items():
        most = profile.max_registers * (16 if function in (1, 2) else 1)
        for before, after in itertools.pairwise(spans):
            together = max(before[1], after[1]) - before[0]
            assert after[0] - before[1] > profile.merge_gap or together > most


def test_units_of_one_line_share_it_with_the_longest_times_and_keep_their_own_limits() -> None:
    meter = find("eastron_sdm630", config_folder())
    slow = meter.model_copy(update={"even_reads": False, "gap_ms": 500, "write_function": 6, "max_registers": 125})
    wirings = [
        Wiring(device="a", profile=meter, bus=LINE, unit=1),
        Wiring(device="b", profile=slow, bus=LINE | {"timeout_ms": 900, "gap_ms": 20}, unit=2),
        Wiring(device="c", profile=meter, bus=TCP, unit=3),
    ]
    table = json.loads(compile_table("n", wirings, 10_000).text)
    assert table["buses"] == [LINE | {"timeout_ms": 900, "gap_ms": 20}, TCP]
    assert table["units"] == [
        {"bus": 0, "id": 1, "wfc": 16, "max": 60, "even": True},
        {"bus": 0, "id": 2, "wfc": 6, "gap_ms": 500},
        {"bus": 1, "id": 3, "wfc": 16, "max": 60, "even": True},
    ]


def test_a_value_too_far_from_its_exponent_is_a_mistake_of_the_profile(tmp_path) -> None:
    text = json.loads((config_folder() / "devices" / "eastron_sdm630.json").read_text())
    text["points"][0]["sf_address"] = 200
    path = tmp_path / "eastron_sdm630.json"
    path.write_text(json.dumps(text))
    with pytest.raises(ProfileError, match="p_w with its exponent needs 150 registers in one read"):
        load(path)


@pytest.mark.parametrize(
    "change", [{"type": "bit"}, {"table": "coil"}, {"table": "coil", "type": "bit", "model": 1, "address": 2}]
)
def test_a_coil_is_a_bit_without_model_or_exponent(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="p: "):
        Point.model_validate({"name": "p", "address": 0, "type": "int16", "every_s": 1, "low": 0, "high": 1} | change)


def relay() -> Profile:
    """A heater with a coil to switch it and two inputs, as no product is yet."""
    meter = find("eastron_sdm630", config_folder())
    bits = [
        Point(name=f"i{a}", address=a, table="discrete", type="bit", every_s=1, low=0, high=1)
        for a in (0xC4, 0xC5, 0xD5)
    ]
    setpoint = Setpoint(
        point=Target(address=7, type="uint16", scale=2000),
        safe=(Write(address=7, type="uint16", value=0),),
        volatile=True,
        device_timeout_s=None,
    )
    update = {"points": tuple(bits), "proof": "i196", "setpoint": setpoint, "write_function": 5, "merge_gap": 20}
    return meter.model_copy(update=update)


def test_a_coil_is_ordered_as_a_number_of_0_or_1() -> None:
    wiring = Wiring(device="d", profile=relay(), bus=LINE, unit=1, range_w=(0, 2000))
    table = json.loads(compile_table("n", [wiring], 10_000).text)
    assert table["actuators"][0]["set"] == [[7, "H", 0, 1]]
    assert table["blocks"] == [{"u": 0, "fc": 2, "a": 0xC4, "n": 18, "ms": 1000}]
    too_wide = Wiring(device="d", profile=relay(), bus=LINE, unit=1, range_w=(0, 4000))
    with pytest.raises(TableError, match=r"set\[0\] highest: .* from 0 to 1"):
        compile_table("n", [too_wide], 10_000)


def test_packed_coils_become_readings() -> None:
    """22 inputs from 0xC4 as in 6.2 of the specification, AC DB 35; AC is 1010 1100, its last bit the first."""
    profile = relay()
    points = [
        Point(name=f"i{a}", address=a, table="discrete", type="bit", every_s=1, low=0, high=1)
        for a in range(0xC4, 0xDA)
    ]
    values = readings(profile, points, 0xC4, [0xACDB, 0x3500], 1.0)
    bits = [values[f"i{a}"].value for a in range(0xC4, 0xDA)]
    assert bits == [0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1]
    assert readings(profile, points, 0xC4, [0xACDB], 1.0)["i212"].why == "wrong_reply"
