"""A new poll table is on trial until every bus has answered; the old one is kept until then. Time runs 20 times faster."""

import json

import pytest
import tables
from node_rig import identity, until

pytestmark = pytest.mark.hil

PATIENT = {"timeout_ms": 2000}  # of the node's fast time


def reading(*ports: int, address: int = 0) -> dict:
    """One block of one register on each bus."""
    units = [{"bus": i, "id": 1, "wfc": 16} for i in range(len(ports))]
    blocks = [tables.block(i, address, 1, ms=1000) for i in range(len(ports))]
    return tables.table([tables.tcp(port, **PATIENT) for port in ports], units, blocks)


@pytest.fixture
async def polling(node, gateway, inverter):
    inverter.put(0, 7, 8)
    node.speed = 20
    node.start(reading(inverter.port))
    await gateway.record(0)
    return node


async def test_is_kept_when_every_bus_has_answered(polling, gateway, inverter, battery):
    battery.put(0, 9)
    new = reading(inverter.port, battery.port)
    await gateway.configure(new)
    await until(lambda: polling.table() == new, "the new table in the file")
    assert json.loads((polling.directory / "table.json.old").read_text()) == reading(inverter.port)
    await until(lambda: gateway.states[-1]["table"] == identity(new), "the word of it")


async def test_goes_back_to_the_old_one_when_a_bus_stays_silent_and_is_not_tried_again(polling, gateway, inverter):
    old, bad = reading(inverter.port), reading(inverter.port, 1)
    await gateway.configure(bad)
    await until(lambda: gateway.states[-1]["table"] == identity(bad), "the trial")
    await until(lambda: gateway.states[-1]["table"] == identity(old), "the old table")
    assert polling.table() == old
    states = len(gateway.states)
    await gateway.configure(bad)
    health = await until(lambda: gateway.health and gateway.health[-1]["cfg"] and gateway.health[-1], "the reason")
    assert health["cfg"] == "silent: 127.0.0.1:1"
    await gateway.record(0)
    assert len(gateway.states) == states  # refused at once
    assert len(gateway.stored) == 1  # and the node never restarted


async def test_a_bus_that_was_silent_before_may_stay_silent(node, gateway, inverter):
    """An inverter sleeps at night; its neighbour's table can be changed all the same."""
    inverter.put(0, 7, 8)
    node.speed = 20
    node.start(reading(inverter.port, 1))
    await gateway.record(0)
    new = reading(inverter.port, 1, address=1)
    await gateway.configure(new)
    await until(lambda: node.table() == new, "the new table in the file")


async def test_power_that_fails_during_the_trial_leaves_the_old_table(polling, gateway, inverter):
    bad = reading(inverter.port, 1)
    await gateway.configure(bad)
    await until(lambda: gateway.states[-1]["table"] == identity(bad), "the trial")
    polling.kill()
    polling.start()
    old = identity(reading(inverter.port))
    await until(lambda: gateway.states[-1].get("table") == old, "the old table")


async def test_the_first_table_of_a_node_needs_no_trial(node, gateway):
    """Who commissions a node may connect its devices later."""
    node.speed = 20
    node.start()
    await until(lambda: gateway.states and gateway.states[-1]["up"], "the node")
    first = reading(1)
    await gateway.configure(first)
    await until((node.directory / "table.json").exists, "the table in the file")
    assert node.table() == first
