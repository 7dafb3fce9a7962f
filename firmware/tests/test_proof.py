"""A release on trial must reach every bus that the old one reached; one that was silent before may stay so."""

import pytest
from node_rig import HERE

pytestmark = pytest.mark.hil

TRIAL = """
import asyncio
nap = asyncio.sleep_ms
asyncio.sleep_ms = lambda ms: nap(0)
import sys
sys.path.append(%r)
from actuator_rig import Clock, Memory
from node import poll_table
from node.app import App, Log
from node.bus import Bus
from node.link import Link
from node.modbus import Line, Master
from node.ring import Ring
from node.supervisor import Supervisor
from node.trial import prove
memory = Memory()
memory.here = "b"
memory.write("silent", %r)
log = Log(Clock(), memory, print)
ring = Ring(2000, 1, log.clock)
link = Link({}, "zev/1/x/y/", ring, memory, print)
link.mqtt.granted = b"\\0"
app = App({}, memory, "trial", 1, (0, "0"), "", log, ring, None, link, Supervisor(bool, print, print))
for name in "meter", "pump":
    bus = Bus(name, Master(Line(None, 9600), 100, 0), print)
    unit = poll_table.unit({"id": 1, "wfc": 16}, bus)
    unit.counts[0] = name not in %r
    bus.blocks.append(poll_table.block(0, unit, {"fc": 3, "a": 0, "n": 1, "ms": 1000}))
    app.plant.buses.append(bus)
    app.plant.units.append(unit)
async def main(): await prove(app, int)
asyncio.run(main())
print([app.mode, app.supervisor.reason])
"""


@pytest.mark.parametrize(
    ("before", "now", "end"),
    [
        ("", [], "['run', '']"),  # whatever wrote no names
        ('["meter"]', ["meter"], "['run', '']"),
        ('["meter"]', ["pump"], "['trial', 'trial: bus']"),  # as many as before, but another
        ('["meter", "pump"]', ["pump"], "['run', '']"),
        ("[]", ["pump"], "['trial', 'trial: bus']"),
    ],
)
def test_the_silent_buses_of_a_trial_are_compared_by_name(before, now, end, board):
    said = board(TRIAL % (str(HERE / "board"), before, now))
    assert said.splitlines()[-1] == end
