"""Profiles and wiring become a poll table that a node can execute, with as few requests as the product allows."""

import json
from pathlib import Path

import pytest

from gateway.adapters.node.poll_tables import Wiring, compile_table
from gateway.adapters.products.points import Label
from gateway.adapters.products.profiles import ProfileError, find, load, names
from gateway.paths import config_folder
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.file import site_file
from gateway.wire import table as wire
from gateway.wire.table import TableError

RANGE = {"every_s": 1, "low": 0, "high": 1e5}
LABEL = {"name": "p_w", "label": "SINSTS", **RANGE}


@pytest.fixture
def demo():
    return poll_tables(site_file.read(config_folder() / "demo" / "site.toml"))["cellar"]


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


def test_other_headers_are_believed_where_the_site_file_or_the_profile_says_so(tmp_path: Path) -> None:
    """And the word is in the table only then: an older node does not know it."""
    text = (config_folder() / "demo" / "site.toml").read_text()
    assert "lenient" not in poll_tables(site_file.read(config_folder() / "demo" / "site.toml"))["cellar"].text
    path = tmp_path / "site.toml"
    path.write_text(text.replace('role = "battery"', 'role = "battery"\nlenient = true'))
    buses = json.loads(poll_tables(site_file.read(path))["cellar"].text)["buses"]
    assert [bus.get("lenient", False) for bus in buses] == [False, False, True]
    own = json.loads((config_folder() / "devices" / "sunspec_inverter.json").read_text())
    own["links"]["tcp"]["lenient"] = True
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "sunspec_inverter.json").write_text(json.dumps(own))
    path.write_text(text)
    buses = json.loads(poll_tables(site_file.read(path))["cellar"].text)["buses"]
    assert [bus.get("lenient", False) for bus in buses] == [False, True, False]
    path.write_text(text.replace('role = "pv"', 'role = "pv"\nlenient = false'))
    assert "lenient" not in poll_tables(site_file.read(path))["cellar"].text


def test_one_lenient_device_makes_its_bus_lenient() -> None:
    bus = {"kind": "tcp", "host": "127.0.0.1", "port": 502, "timeout_ms": 1000, "gap_ms": 0}
    profile = find("sunspec_inverter", config_folder())
    for buses in ([bus, bus | {"lenient": True}], [bus | {"lenient": True}, bus]):
        wirings = [Wiring(device=f"d{i}", profile=profile, bus=bus, unit=i) for i, bus in enumerate(buses, 1)]
        assert json.loads(compile_table("n", wirings, 10000).text)["buses"] == [bus | {"lenient": True}]


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
    assert profile.links.tic is not None or profile.point(profile.proof) is not None
    assert profile.sources


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "zev-profile/9"}, "schema"),
        ({"proof": "no_such_point"}, "proof names"),
        ({"max_registers": 500}, "max_registers"),
        ({"unknown": 1}, "unknown"),
        ({"proof": None}, "proof is needed"),
        ({"reply_timeout_ms": None}, "reply_timeout_ms is needed"),
        ({"links": {"tic": {}}}, "a telegram has no even_reads, max_registers, merge_gap, proof, reply_timeout_ms"),
        ({"points": [LABEL], "proof": "p_w"}, "labels are for a product with the link tic"),
        ({"points": [{"address": 3} | LABEL]}, r"points\.0\.label\.address"),
    ],
)
def test_a_mistake_in_a_profile_is_reported_with_its_place(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    text = json.loads((config_folder() / "devices" / "eastron_sdm630.json").read_text())
    path = tmp_path / "eastron_sdm630.json"
    path.write_text(json.dumps(text | change))
    with pytest.raises(ProfileError, match=message):
        load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"proof": "p_w"}, "a telegram has no proof"),
        ({"max_registers": 60}, "a telegram has no max_registers"),
        ({"setpoint": None}, "a telegram has no setpoint"),
        ({"links": {"tic": {}, "tcp": {"unit": 1, "port": 502}}}, "no other link"),
        ({"points": [{"name": "p_w", "address": 3, "type": "int16", **RANGE}]}, "labels only"),
        ({"points": [LABEL | {"label": "PRM"}]}, "names a person"),
        ({"points": [LABEL | {"minus": "ADSC"}]}, "names a person"),
        ({"points": [LABEL | {"label": "sinsts"}]}, r"points\.0\.label\.label"),
        ({"points": [LABEL | {"form": "text"}]}, "texts"),
        ({"points": [LABEL | {"bits": [8, 1]}]}, "hexadecimal"),
        ({"points": [LABEL | {"counter": True, "minus": "SINSTI"}]}, "a counter is one"),
        ({"points": [LABEL | {"type": "uint32"}]}, r"points\.0\.label\.type"),
    ],
)
def test_a_mistake_in_a_telegram_s_profile_is_reported_with_its_place(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    text = json.loads((config_folder() / "devices" / "linky_standard.json").read_text())
    path = tmp_path / "linky_standard.json"
    path.write_text(json.dumps(text | change))
    with pytest.raises(ProfileError, match=message):
        load(path)


def telegram_table(name: str = "linky_standard"):
    bus = {"kind": "tic", "port": "tic", "baud": 1200, "bits": 7, "parity": "E"}
    wiring = Wiring(device="grid", profile=find(name, config_folder()), bus=bus, unit=1)
    return compile_table("n", [wiring], 10_000)


def test_labels_of_one_period_become_one_block() -> None:
    made = telegram_table()
    rows = json.loads(made.text)["blocks"]
    assert rows[0] == {"u": 0, "labels": [["SINSTS", "d"], ["SINSTI", "d"]], "ms": 1000}
    assert rows[1] == {"u": 0, "labels": [["EAST", "c"], ["EAIT", "c"]], "ms": 5000}
    assert rows[2]["labels"].count(["STGE", "x"]) == 1  # six points, one label
    assert [block.count for block in made.blocks] == [2 * len(row["labels"]) for row in rows]


def test_a_telegram_with_many_labels_is_cut_into_blocks_that_a_node_takes() -> None:
    profile = find("linky_standard", config_folder())
    points = tuple(Label(name=f"e{i}_wh", label=f"EASF{i}", every_s=5, low=0, high=1e9) for i in range(40))
    bus = {"kind": "tic", "port": "tic", "baud": 1200, "bits": 7, "parity": "E"}
    wiring = Wiring(device="g", profile=profile.model_copy(update={"points": points}), bus=bus, unit=1)
    made = compile_table("n", [wiring], 10_000)
    assert [len(block.points) for block in made.blocks] == [30, 10]


TELEGRAM = {
    "v": 1,
    "node": "n",
    "buses": [{"kind": "tic", "port": "tic", "baud": 1200, "bits": 7, "parity": "E"}],
    "units": [{"bus": 0, "id": 1, "wfc": 16}],
    "blocks": [{"u": 0, "labels": [["SINSTS", "d"]], "ms": 1000}],
    "actuators": [],
}
ORDER = {"u": 0, "arm": [], "set": [[1, "h", 0, 1]], "go": [], "safe": [], "refresh_ms": 1000, "ttl_ms": 1000}


def labelled(*labels: object) -> dict[str, object]:
    return {"blocks": [{"u": 0, "labels": list(labels), "ms": 1000}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *((labelled([name, "s"]), "names a person") for name in ("ADCO", "ADSC", "PRM", "MSG1", "MSG2")),
        (labelled(["PRM\t", "d"]), "labels of the telegram"),
        (labelled(["", "d"]), "labels of the telegram"),
        (labelled(["prm", "d"]), "labels of the telegram"),
        (labelled(["EAST", "q"]), "one of d, c, x, s"),
        (labelled("EAST"), "one of d, c, x, s"),
        (labelled(["EAST", "c"], ["EAST", "d"]), "one form for EAST"),
        (labelled(*([["EAST", "c"]] * 31)), "1 to 30 labels"),
        (labelled(), "1 to 30 labels"),
        ({"blocks": [{"u": 0, "fc": 4, "a": 0, "n": 1, "ms": 1000}]}, "1 to 30 labels"),
        ({"actuators": [ORDER]}, "a unit that can be asked"),
        ({"buses": [TELEGRAM["buses"][0] | {"baud": 4800}]}, "baud: allowed is one of 1200, 9600"),
        ({"units": TELEGRAM["units"] * 2}, "one meter for each telegram"),
    ],
)
def test_a_node_refuses_a_table_with_a_wrong_telegram(change: dict[str, object], message: str) -> None:
    assert wire.parse(json.dumps(TELEGRAM))["v"] == 1
    with pytest.raises(TableError, match=message):
        wire.parse(json.dumps(TELEGRAM | change))


def test_power_limits_that_do_not_fit_the_register_are_refused() -> None:
    profile = find("sma_sunny_boy_storage", config_folder())
    narrow = profile.setpoint.point.model_copy(update={"type": "int16"})
    product = profile.model_copy(update={"setpoint": profile.setpoint.model_copy(update={"point": narrow})})
    bus = {"kind": "tcp", "host": "127.0.0.1", "port": 502, "timeout_ms": 1000, "gap_ms": 0}
    wiring = Wiring(device="b", profile=product, bus=bus, unit=3, range_w=(-40_000, 40_000))
    with pytest.raises(TableError, match="does not fit int16"):
        compile_table("n", [wiring], 10_000)
