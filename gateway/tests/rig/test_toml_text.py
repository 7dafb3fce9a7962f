"""TOML as Python's own reader understands it."""

import datetime as dt
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rig.toml_text import merged, toml

text = st.text(st.characters(exclude_categories=["Cs"]))
plain = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), text,
    st.datetimes(), st.dates(), st.times(),
)  # fmt: skip
values = st.recursive(plain, lambda inner: st.one_of(st.lists(inner), st.dictionaries(text, inner)), max_leaves=12)


@given(st.dictionaries(text, values))
def test_what_is_written_is_what_is_read(table):
    assert tomllib.loads(toml(table)) == table


def test_tables_are_written_as_people_write_them():
    noon = dt.datetime(2024, 6, 21, 12, 5)  # noqa: DTZ001 - local on purpose
    table = {"start": noon, "on": True, "nodes": {"cellar": {"buses": {"rs 485": {"baud": 9600}}}, "empty": {}}}
    assert [line for line in toml(table).splitlines() if line] == [
        "start = 2024-06-21T12:05:00",
        "on = true",
        '[nodes.cellar.buses."rs 485"]',
        "baud = 9600",
        "[nodes.empty]",
    ]


def test_absence_is_no_value_of_toml():
    with pytest.raises(TypeError, match="NoneType"):
        toml({"x": None})


def test_changes_are_merged_and_none_takes_away():
    table = {"broker": {"host": "a", "port": 1}, "database": {"url": "u"}, "n": 1}
    changed = merged(table, {"broker": {"port": 2}, "database": None, "page": {"port": 3}, "n": 4})
    assert changed == {"broker": {"host": "a", "port": 2}, "page": {"port": 3}, "n": 4}
    assert table["broker"]["port"] == 1
