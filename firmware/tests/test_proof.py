"""A release on trial must reach every bus that the old one reached; one that was silent before may stay so."""

import pytest
from bench import HERE

pytestmark = pytest.mark.hil

TRIAL = """
import asyncio
nap = asyncio.sleep_ms
asyncio.sleep_ms = lambda ms: nap(0)
import sys
sys.path.append(%r)
from rig import Clock, Memory
from node import config
from node.app import App
from node.bus import Bus
from node.link import Link
from node.modbus import Line, Master
from node.ring import Ring
from node.supervisor import Supervisor
from node.trial import prove
memory = Memory()
memory.here = "b"
memory.write("silent", %r)
app = App({}, memory, "trial", print)
app.link = Link({}, "zev/1/x/y/", Ring(2000, 1, Clock()), {}, dict, print)
app.link.mqtt.granted = b"\\0"
app.supervisor = Supervisor(bool, print, print)
for name in "meter", "pump":
    bus = Bus(Master(Line(None, 9600), 100, 0), print)
    bus.name = name
    unit = config.unit({"id": 1, "wfc": 16}, bus)
    unit.counts[0] = name not in %r
    bus.blocks.append(config.block(0, unit, {"fc": 3, "a": 0, "n": 1, "ms": 1000}))
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
