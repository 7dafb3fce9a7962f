"""What ends a node that does not do its work, and what it says of it afterwards: watchdog, failures, safe mode."""

import shutil
import signal
from pathlib import Path

import pytest
import slot
import tables
from boards import edited
from node_rig import until
from tables import SAFE, writes

from gateway.release.build import compile_file

pytestmark = pytest.mark.hil

TURN = "                self.tick()\n"
FAULTS = """                self.tick()
                with open("fault") as file:
                    fault = file.read()
                if fault == "fails":
                    raise ValueError("damp")
                if fault == "hangs":
                    await asyncio.sleep_ms(10000000)
                while fault == "blocks":
                    pass
"""


@pytest.fixture
def faulty(node, tmp_path):
    """`faulty(word)`: one job of the node fails, hangs or blocks the whole loop from now on."""
    folder = node.directory / "node"
    own(folder)
    own(node.directory / "main.py")  # the interpreter looks first where it really lies
    compile_file(edited("clock", TURN, FAULTS, tmp_path), folder / "clock.mpy", "clock.py")
    fault = node.directory / "fault"
    fault.write_text("")
    yield fault.write_text
    node.output.write_text("")  # a fault of ours is told with its traceback


def own(place: Path) -> None:
    """A copy in the place of a link."""
    original = place.resolve()
    place.unlink()
    (shutil.copytree if original.is_dir() else shutil.copy)(original, place)


def poll(battery, speed: int = 1) -> dict:
    """A battery that is read and takes orders; `speed` is that of the node, whose time-out is of its own time."""
    battery.units = {3}
    battery.put(30775, 0, 0)
    table = tables.battery_table(battery.port)
    return table | {"buses": [tables.tcp(battery.port, timeout_ms=min(200 * speed, 3000))]}


def ups(gateway) -> list[dict]:
    return [state for state in gateway.states if state["up"]]


async def ended(node, patience_s: float = 20) -> int:
    return await until(lambda: node.process.poll() is not None and [node.process.returncode], "its end", patience_s)


async def test_a_blocked_loop_is_ended_by_the_watchdog_and_the_devices_are_given_back(faulty, node, gateway, battery):
    node.start(poll(battery), watchdog_ms=2000)
    await gateway.ack("safe")
    await gateway.ack("applied", await gateway.order([700], ttl=15000))
    faulty("blocks")
    assert await ended(node, 5) == [-signal.SIGALRM]
    faulty("")
    node.start(watchdog_ms=2000)
    await gateway.ack("safe")
    assert writes(battery)[-1] == SAFE
    await gateway.record(0)


async def test_a_job_that_hangs_ends_the_node_which_names_it_afterwards(faulty, node, gateway, battery):
    node.speed = 20
    node.start(poll(battery, 20), watchdog_ms=2000)
    await gateway.record(0)
    assert ups(gateway)[-1]["why"] == ""
    faulty("hangs")
    assert await ended(node) == [-signal.SIGALRM]  # 90 s without a word, then 2 s that are not fast
    assert gateway.records(0)[-1][1] - gateway.records(0)[0][1] > 60  # all others went on meanwhile
    faulty("")
    node.start(watchdog_ms=2000)
    await until(lambda: len(ups(gateway)) == 2, "the next run")
    assert ups(gateway)[-1]["why"] == "late: clock"


async def test_five_failures_of_a_job_restart_the_node_which_says_why(faulty, node, gateway, battery):
    node.speed = 20
    faulty("fails")
    node.start(poll(battery, 20))
    assert await ended(node) == [slot.RESET]
    assert node.said().count("clock: ValueError") == 5
    await until(lambda: gateway.states[-1] == {"up": False}, "its goodbye")
    faulty("")
    node.start()
    await until(lambda: len(ups(gateway)) == 2, "the next run")
    assert ups(gateway)[-1]["why"] == "clock: ValueError('damp',)"
    assert ups(gateway)[-1]["mode"] == "run"


async def test_a_change_of_tables_that_breaks_off_restarts_the_node_which_gives_the_devices_back(
    node, gateway, battery, tmp_path
):
    """Half switched, nobody would look after the leases."""
    table = poll(battery)
    own(node.directory / "node")
    own(node.directory / "main.py")
    broken = edited(
        "poll_table", "    await _run(app, identity, plant)\n", "    raise ValueError('half-way')\n", tmp_path
    )
    compile_file(broken, node.directory / "node" / "poll_table.mpy", "poll_table.py")
    node.start(table)
    await gateway.ack("safe")
    await gateway.ack("applied", await gateway.order([700]))
    await gateway.configure(table | {"blocks": []})
    assert await ended(node) == [slot.RESET]
    assert writes(battery)[-1] == SAFE
    battery.written.clear()
    node.start()
    await until(lambda: len(ups(gateway)) == 2, "the next run")
    assert ups(gateway)[-1]["why"] == "switch: ValueError('half-way',)"
    assert ups(gateway)[-1]["table"] == ups(gateway)[0]["table"]


async def short_boots(node, gateway, table: dict, count: int) -> None:
    """Each says that it is up and loses its power."""
    for number in range(count):
        node.start(table)
        await until(lambda number=number: len(ups(gateway)) > number, "the node")
        assert ups(gateway)[-1]["mode"] == "run"
        node.kill()


async def test_three_short_boots_lead_to_safe_mode_which_touches_no_device(node, gateway, battery):
    table = poll(battery)
    await short_boots(node, gateway, table, 3)
    await until(lambda: not gateway.states[-1]["up"], "the will")
    battery.asked.clear()
    battery.written.clear()
    node.speed = 5
    node.start()
    await until(lambda: len(ups(gateway)) == 4, "the node")
    assert ups(gateway)[-1]["mode"] == "safe"
    refused = await gateway.ack("refused", await gateway.order([700]))
    assert refused["why"] == "mode"
    await gateway.configure(table | {"blocks": []})  # nor another table
    health = await until(lambda: gateway.health, "its health")
    assert (health[-1]["units"], health[-1]["actuators"], health[-1]["orders"]) == ([], [], {"mode": 1})
    assert (battery.asked, battery.written) == ([], [])


async def test_a_boot_of_two_minutes_is_not_short(node, gateway, battery):
    table = poll(battery, 40)
    node.speed = 40
    await short_boots(node, gateway, table, 2)
    node.start(table)
    await until(lambda: gateway.health and gateway.health[-1]["uptime_s"] > 140, "two minutes")
    node.kill()
    node.start()
    await until(lambda: len(ups(gateway)) == 4, "the next boot")
    assert ups(gateway)[-1]["mode"] == "run"


async def test_safe_mode_ends_after_half_an_hour(node, gateway, battery):
    table = poll(battery, 20)
    await short_boots(node, gateway, table, 3)
    node.speed = 200
    node.start()
    await until(lambda: len(ups(gateway)) == 4 and ups(gateway)[-1]["mode"] == "safe", "safe mode")
    assert await ended(node, 25) == [slot.RESET]
    node.speed = 1
    gateway.acks.clear()
    node.start()
    await gateway.ack("safe")
    assert (ups(gateway)[-1]["mode"], ups(gateway)[-1]["why"]) == ("run", "safe mode is over")
