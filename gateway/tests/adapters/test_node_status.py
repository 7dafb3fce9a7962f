"""What a node says of itself: kept for the same boot, told to the database and the page, whatever a node may send."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.node.status import NodeStatus
from gateway.adapters.node.status_changes import status_row
from gateway.database.tags import RowOrigin

STATE = {"up": True, "boot": 7, "table": 1, "fw": "0.2.0", "build": 848_000_000, "mode": "run", "why": "update"}
PULLING = {"boot": 7, "build": 9, "file": 3, "at": 0, "n": 512, "state": "pull", "why": ""}


@pytest.mark.parametrize(
    ("health", "refused", "heard", "update"),
    [
        ({}, "", True, ""),
        ({"cfg": "", "heard": True, "update": None}, "", True, ""),
        ({"cfg": "silent: rs485", "heard": False, "update": PULLING}, "silent: rs485", False, "pull"),
        ({"update": PULLING | {"state": "refused", "why": "older"}}, "", True, "refused: older"),
    ],
)
def test_a_health_reports_what_keeps_a_node_from_its_work(health, refused, heard, update) -> None:
    status = NodeStatus().after_state(STATE).after_health(health)
    assert (status.up, status.fw, status.build, status.mode) == (True, "0.2.0", 848_000_000, "run")
    assert (status.why, status.refused, status.heard, status.update) == ("update", refused, heard, update)


def test_a_new_boot_starts_without_the_old_troubles_and_a_reconnection_keeps_them() -> None:
    troubled = NodeStatus().after_state(STATE).after_health({"cfg": "version", "heard": False})
    gone = troubled.after_state({"up": False})
    assert (gone.up, gone.refused, gone.fw) == (False, "version", "0.2.0")
    assert gone.after_state(STATE) == troubled
    assert gone.after_state(STATE | {"boot": 8}) == NodeStatus().after_state(STATE | {"boot": 8})


def test_the_database_gets_columns_of_one_kind_each() -> None:
    origin = RowOrigin(site="s", building="b", roles={})
    row = status_row(NodeStatus().after_state(STATE | {"mode": "safe"}), node="cellar", origin=origin, time_ms=5)
    assert row.tags == {"site": "s", "building": "b", "device": "cellar", "role": "node"}
    assert row.fields == {
        "is_up": 1.0,
        "is_heard": 1.0,
        "is_twin": 0.0,
        "build": 848_000_000.0,
        "fw": "0.2.0",
        "mode": "safe",
        "why": "update",
        "refused": "",
        "update": "",
        "test": "",
    }


ROWS = [{"step": "unit", "n": 0, "ok": True, "text": "0"}, {"step": "order", "n": 0, "ok": True, "text": "2"}]
SILENT = {"step": "unit", "n": 2, "ok": False, "text": "1"}
DEAF = {"step": "broker", "n": 0, "ok": False, "text": "-1"}


@pytest.mark.parametrize(
    ("reported", "test"),
    [
        ({"boot": 7, "rows": ROWS}, "good"),
        ({"boot": 7, "rows": [*ROWS, SILENT, DEAF]}, "unit 2, broker"),
        ({"boot": 7, "rows": [*ROWS, 5, {}]}, "?, ?"),
        ({"boot": 8, "rows": ROWS}, ""),
        ({"boot": 7, "rows": []}, ""),
        ({"boot": 7, "rows": {}}, ""),
        ({}, ""),
    ],
)
def test_what_the_self_test_of_this_boot_found_is_reported(reported, test) -> None:
    status = NodeStatus().after_state(STATE).after_test(reported)
    assert status.test == test
    assert status.after_state(STATE | {"boot": 9}).test == ""


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries({"up": st.just(value=True)}, optional={name: anything for name in STATE if name != "up"}),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("cfg", "heard", "update"), anything)),
)
def test_whatever_a_node_sends_stays_small_and_of_its_kind(state, health) -> None:
    reported = asdict(NodeStatus().after_state(state).after_health(health))
    assert {name: type(value) for name, value in reported.items()} == {
        name: type(value) for name, value in asdict(NodeStatus()).items()
    }
    assert len(json.dumps(reported)) < 8000
