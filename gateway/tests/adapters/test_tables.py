"""Profiles and wiring become a poll table that a node can execute, with as few requests as the product allows."""

import json
from pathlib import Path

import pytest

from gateway import settings, wiring
from gateway.adapters.profiles import ProfileError, find, load, names
from gateway.adapters.tables import Wiring, compile_table
from gateway.places import config_folder
from gateway.wire import table as wire
from gateway.wire.table import TableError


@pytest.fixture
def demo():
    return wiring.tables(settings.read(config_folder() / "demo" / "site.toml"))["cellar"]


def test_the_demo_s_table_is_what_a_node_accepts(demo) -> None:
    table = wire.parse(demo.text)
    assert [bus["kind"] for bus in table["buses"]] == ["rtu", "tcp", "tcp"]
    assert demo.identity == wire.identity(demo.text)


def test_blocks_merge_neighbours_and_respect_the_product(demo) -> None:
    rows = json.loads(demo.text)["blocks"]
    meter = [(row["fc"], row["a"], row["n"], row["ms"]) for row in rows if row["u"] == 0]
    # power alone each second; frequency and both counters in one read; voltages and phase powers in one read
    assert meter == [(4, 52, 2, 1000), (4, 70, 6, 5000), (4, 0, 18, 10000)]
    assert all(a % 2 == 0 and n % 2 == 0 for _, a, n, _ in meter)


def test_a_sunspec_block_holds_value_and_exponent_together(demo) -> None:
    rows = [row for row in json.loads(demo.text)["blocks"] if row.get("m") == 103]
    assert (rows[0]["a"], rows[0]["n"]) == (14, 13)  # W at 14 to WH_SF at 26


def test_a_register_that_a_product_may_lack_is_never_read_in_vain(demo) -> None:
    rows = [row for row in json.loads(demo.text)["blocks"] if row["u"] == 2]
    wanted = {30775, 30776, 30803, 30804, 30845, 30846, 30849, 30850, *range(31397, 31405)}
    assert {a for row in rows for a in range(row["a"], row["a"] + row["n"])} == wanted


def test_the_battery_may_only_be_ordered_within_its_limits(demo) -> None:
    actuator = json.loads(demo.text)["actuators"][demo.actuators["battery"]]
    assert actuator["set"] == [[40149, "i", -5000, 5000]]
    assert actuator["go"] == [[40151, [0, 802]]]
    assert actuator["safe"] == [[40151, [0, 803]]]
    assert actuator["refresh_ms"] <= 30_000  # half of the 60 s after which the product reverts
    assert actuator["ttl_ms"] <= wire.TTL_LIMIT_MS


@pytest.mark.parametrize("name", names(config_folder()))
def test_every_shipped_profile_loads(name: str) -> None:
    profile = find(name, config_folder())
    assert profile.point(profile.proof) is not None
    assert profile.sources


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": "zev-profile/9"}, "schema"),
        ({"proof": "no_such_point"}, "proof names"),
        ({"max_registers": 500}, "max_registers"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_mistake_in_a_profile_is_told_with_its_place(tmp_path: Path, change: dict[str, object], told: str) -> None:
    text = json.loads((config_folder() / "devices" / "eastron_sdm630.json").read_text())
    path = tmp_path / "eastron_sdm630.json"
    path.write_text(json.dumps(text | change))
    with pytest.raises(ProfileError, match=told):
        load(path)


def test_power_limits_that_do_not_fit_the_register_are_refused() -> None:
    profile = find("sma_sunny_boy_storage", config_folder())
    narrow = profile.setpoint.point.model_copy(update={"type": "int16"})
    product = profile.model_copy(update={"setpoint": profile.setpoint.model_copy(update={"point": narrow})})
    bus = {"kind": "tcp", "host": "127.0.0.1", "port": 502, "timeout_ms": 1000, "gap_ms": 0}
    wiring = Wiring(device="b", profile=product, bus=bus, unit=3, range_w=(-40_000, 40_000))
    with pytest.raises(TableError, match="does not fit int16"):
        compile_table("n", [wiring], 10_000)
