"""Every row that the gateway writes in virtual hours fits the schema, and nothing in the schema is never written."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gateway.adapters.node.counters import CounterEvent
from gateway.adapters.node.readback import Readback
from gateway.adapters.node.readings import event_rows
from gateway.adapters.node.status import NodeStatus
from gateway.adapters.node.status_changes import readback_rows, status_row
from gateway.adapters.store.gaps import Gap
from gateway.database.measurements import MEASUREMENTS, bucket_of, mistakes
from gateway.database.schema import Bucket, Kind, unit_of
from gateway.observers.database_observer import DatabaseObserver
from gateway.ports import Row
from gateway.simulator.faults import InverterGone, MeterGone
from gateway.site.assembly.building import core_site, origin_of
from gateway.tests.database.quarter_hours import accounts
from gateway.trial.scenario.tables import placed, shipped
from gateway.trial.twin.twin import Twin
from gateway.view.part_figures import PartFigures
from gateway.words import WordError, text

HOUR_S = 3600.0
# What only a gateway on real parts writes (its status), and what these hours do not bring.
ELSEWHERE = {
    "gateway": {"latency_ms", "waiting", "dropped", "refused", "memory_mb", "is_broker_up"},
    "node": {"uptime_s", "memory_kb"},
    "device": {"answers", "timeouts", "errors", "answer_ms", "writes_left"},
    "load": {"e_import_wh"},
    "phase": {"i_a"},
    "site": {"assumed"},
}


def said(kind: str, reason: object) -> str:
    """The French sentence; a code without one is an error here."""
    try:
        return text("fr", f"{kind}.{reason.code}", **reason.numbers)  # type: ignore[attr-defined]
    except WordError as error:
        raise AssertionError(str(error)) from error


def lived(hours: float) -> list[Row]:
    """Rows of the demo's building with its loads, a silent meter and a silent inverter among them."""
    found: list[Row] = []
    house, site = shipped("loads")
    twin = Twin.of(*placed(house, site), plan=True, keep=found.extend, step_s=0.5)
    origin, planner = origin_of(twin.file), twin.planner
    assert planner is not None
    figures = PartFigures(site=core_site(twin.file), origin=origin, sessions=twin.sessions, status=None)
    observer = DatabaseObserver(
        site=core_site(twin.file),
        origin=origin,
        say=said,
        add=found.extend,
        plan=lambda utc_s: planner.status(utc_s).plan,
        figures=figures.rows,
        alarms=figures.alarms,
    )
    twin.watch(observer)
    twin.advance(hours * HOUR_S - 400.0)
    twin.begin(MeterGone())
    twin.begin(InverterGone())
    twin.advance(200.0)
    twin.clear()
    twin.advance(200.0)
    for account in accounts(days=1):
        observer.save_accounts([account])
    for node, session in twin.sessions.items():
        found.append(status_row(session.status, node=node, origin=origin, time_ms=0))
    back = {"battery": Readback(asked_w=100.0, applied_w=100.0, held_w=100.0)}
    found += readback_rows({}, back, origin=origin, time_ms=0)
    event = CounterEvent(device="grid", point="e_import_wh", what="changed", before_wh=5.0, after_wh=0.0)
    found += event_rows([event], tags=origin.device_tags("grid"), time_ms=0)
    gap = Gap(site=origin.site, from_ms=0, to_ms=600_000, counts={"grid": 3, "battery": 2})
    found.append(gap.row())
    twin.close()
    return found


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return lived(0.3)


def test_every_row_fits_the_schema(rows: list[Row]) -> None:
    assert len(rows) > 3000
    assert sorted(set(mistakes(rows))) == []


def test_nothing_in_the_schema_is_never_written(rows: list[Row]) -> None:
    written: dict[str, set[str]] = {}
    for row in rows:
        written.setdefault(row.measurement, set()).update(row.fields)
    named = {name: {column.name for column in one.columns} for name, one in MEASUREMENTS.items()}
    missing = {name: columns - written.get(name, set()) - ELSEWHERE.get(name, set()) for name, columns in named.items()}
    assert {name: columns for name, columns in missing.items() if columns} == {}


def test_every_sentence_is_one(rows: list[Row]) -> None:
    sentences = [str(row.fields["sentence"]) for row in rows if "sentence" in row.fields]
    assert len(sentences) > 100
    assert [one for one in sentences if " " not in one] == []


def test_a_sum_by_role_counts_each_power_once(rows: list[Row]) -> None:
    """The balance of every cycle: the grid is what the roles draw together."""
    whole = [row.fields for row in rows if row.measurement == "site" and "load_low_w" not in row.fields]
    complete = [one for one in whole if {"grid_w", "pv_w", "battery_w", "loads_w", "load_w"} <= one.keys()]
    assert len(complete) > 500
    known = [
        float(one["pv_w"]) + float(one["battery_w"]) + float(one["loads_w"]) + float(one["load_w"]) for one in complete
    ]
    meter = [float(one["grid_w"]) for one in complete]
    # Seconds in which parts were read at another moment than the meter differ; their mean does not.
    assert sum(known) / len(known) == pytest.approx(sum(meter) / len(meter), abs=30.0)


@pytest.mark.soak
def test_a_whole_virtual_day_fits_the_schema() -> None:
    assert sorted(set(mistakes(lived(24.0)))) == []


GOOD = Row(
    measurement="pv",
    tags={"site": "s", "building": "s", "device": "roof", "role": "pv"},
    fields={"p_w": -5.0},
    time_ms=1,
)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"measurement": "meter"}, "no measurement meter"),
        ({"tags": {"site": "s", "device": "roof", "role": "pv"}}, "instead of building, device, role, site"),
        ({"tags": {**GOOD.tags, "role": "roof"}}, "role roof is none of"),
        ({"tags": {**GOOD.tags, "device": ""}}, "tag device is empty"),
        ({"fields": {"p_w": -5}}, "number is needed, int came"),
        ({"fields": {"p_w": True}}, "number is needed, bool came"),
        ({"fields": {"p_w": "-5"}}, "number is needed, str came"),
        ({"fields": {"p_l1_w": -5.0}}, "no field p_l1_w"),
        ({"fields": {}}, "without fields"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, object], says: str) -> None:
    assert list(mistakes([GOOD])) == []
    [mistake] = mistakes([replace(GOOD, **changes)])  # type: ignore[arg-type]
    assert says in mistake


def numbers() -> Iterator[tuple[str, str]]:
    for one in MEASUREMENTS.values():
        yield from ((one.name, column.name) for column in one.columns if column.kind is Kind.NUMBER)


def test_the_name_of_every_number_says_its_unit_or_what_it_counts() -> None:
    counts = {
        "answers",
        "timeouts",
        "errors",
        "writes_left",
        "waiting",
        "lost",
        "restarts",
        "build",
        "dropped",
        "refused",
        "lines",
    }
    bare = {name for _, name in numbers() if not unit_of(name) and not name.startswith("is_")}
    assert bare == counts


def test_names_stand_in_one_bucket_and_unknown_ones_are_readings() -> None:
    assert bucket_of("account") is Bucket.QUARTERS
    assert bucket_of("grid") is bucket_of("meter") is Bucket.RAW


def test_a_status_of_a_node_is_a_row() -> None:
    origin = origin_of(Twin.of(*placed(*shipped("demo"))).file)
    row = status_row(NodeStatus(up=True, twin=True, why="power"), node="cellar", origin=origin, time_ms=5)
    assert list(mistakes([row])) == []
    assert (row.fields["is_up"], row.fields["is_twin"], row.fields["why"]) == (1.0, 1.0, "power")
