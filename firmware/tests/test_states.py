"""The states of the node: each cell of a table is what the node's own calls do, on the board's interpreter.

The expected states of an actuator stand here once more, so that a slip in the table and in the code that walks it are
both found.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))

from as_on_board import FIRMWARE
from pages.node_machines import GATE, SESSION, UNIT, machine

pytestmark = pytest.mark.hil

RIG = Path(__file__).parent / "board"
STATES = ["FREE", "LEAVING", "UNSAFE", "FOLLOWED", "WAITING", "CHANGING", "SENDING", "HELD"]
CHANGES = {  # event: {state before: state after}; in every other state it changes nothing
    "ORDER": {"FREE": "WAITING", "LEAVING": "FOLLOWED", "SENDING": "CHANGING", "HELD": "CHANGING"},
    "SAME": {"FREE": "WAITING", "LEAVING": "FOLLOWED", "CHANGING": "HELD", "SENDING": "HELD"},
    "END": dict.fromkeys(STATES, "LEAVING"),
    "TURN": {"WAITING": "SENDING", "CHANGING": "SENDING"},
    "TAKEN": {"SENDING": "HELD"},
    "LOST": {"HELD": "SENDING"},
    "SAFE": {"LEAVING": "FREE", "UNSAFE": "FREE", "FOLLOWED": "WAITING"},
    "REFUSED": {"LEAVING": "UNSAFE", "FOLLOWED": "UNSAFE"},
}
NEVER = {  # what cannot happen there: {event: states}
    "SAME": {"FREE", "UNSAFE", "WAITING", "SENDING"},  # the device has no values of an order
    "TURN": {"FREE", "LEAVING", "UNSAFE", "FOLLOWED", "SENDING", "HELD"},  # safe values go first, or no order waits
    "TAKEN": {"FREE", "UNSAFE", "WAITING"},  # nothing of an order is being written
    "LOST": {"FREE", "UNSAFE", "WAITING"},
    "SAFE": {"FREE", "WAITING", "CHANGING", "SENDING", "HELD"},  # no safe values are being written
    "REFUSED": {"FREE", "WAITING", "CHANGING", "SENDING", "HELD"},
}


def expected(state: str, event: str) -> str:
    return CHANGES[event].get(state, state)


@pytest.fixture(scope="module")
def orders():
    return machine(FIRMWARE / "node" / "orders.py")


def test_the_table_says_what_is_expected_of_every_state_and_event(orders):
    assert [name for name, _ in orders.states] == STATES
    assert [name for name, _ in orders.events] == list(CHANGES)
    found = {(state, event): orders.next(state, event) for state in STATES for event in CHANGES}
    assert found == {(state, event): expected(state, event) for state, event in found}


def test_the_node_does_what_the_table_says(board):
    said = board(f"import sys\nsys.path.append({str(RIG)!r})\nimport cells\ncells.run({STATES!r})")
    rows = [line.split() for line in said.splitlines()]
    found = {(state, event) for state, event, _ in rows}
    assert [row for row in rows if STATES[int(row[2])] != expected(*row[:2])] == []
    every = {(state, event) for state in STATES for event in CHANGES}
    assert every - found == {(state, event) for event, states in NEVER.items() for state in states}


# GATE: the word in `shut`, and what an update keeps of the one before. STOP is the end: nothing comes after it.
WALK_GATE = """
from actuator_rig import Clock, Memory, Rig
import asyncio
from node import boot_count, shutdown
from node.app import App, Log
from node.update import Job
WORDS = {"OPEN": "", "BOOTS": "boots", "MODE": "mode", "STOP": "stop"}
class Over(Exception): pass
def once(coroutine):
    try: asyncio.run(coroutine)
    except Over: pass
class Told:
    "A link and its job, a supervisor without jobs."
    jobs = ()
    def announce(self, _): raise Over
def case(state):
    rig = Rig()
    rig.spawn = lambda task: task.close()
    rig.again()
    rig.clock.uptime_s = 121
    log = Log(rig.clock, rig.memory, print)
    app = App({}, rig.memory, "run", 1, (0, "0"), "", log, None, rig.orders, Told(), Told())
    job = Job(app)
    rig.orders.shut = WORDS[state.split("_")[0]] if state != "UPDATE" else ""
    if state.endswith("UPDATE"): once(job.let_go())
    return app, job
def after(app, job):
    word = {WORDS[name]: name for name in WORDS}.get(app.orders.shut, "UPDATE")
    return word if job.before in (None, "") else job.before.upper() + "_" + word
def settled(app, job): once(boot_count.settle(app, int))
def let_go(app, job): once(job.let_go())
def go_on(app, job): job.go_on()
def stops(app, job): once(shutdown.node(app))
for state in STATES:
    for event, act in (("SETTLED", settled), ("LET_GO", let_go), ("GO_ON", go_on), ("STOPS", stops)):
        app, job = case(state)
        assert after(app, job) == state, (state, after(app, job))
        act(app, job)
        print(state, event, after(app, job))
"""
WALK_UNIT = """
from node.bus import Unit
class Bus: pass
bus = Bus()
bus.master = bus.transport = bus
bus.timeout_ms, bus.at, bus.blocks, bus.tx, bus.view = 100, 0, [], bytearray(18), memoryview(bytearray(270))
for failures in range(4):
    for event, flag, code in (("ANSWER", 0, 0), ("ANSWER", 3, 2), ("NO_ANSWER", 1, 0), ("NO_ANSWER", 2, 0),
            ("NO_ANSWER", 4, 0), ("NO_ANSWER", 5, 0), ("NOBODY", 3, 10), ("NOBODY", 3, 11)):
        unit = Unit(bus, 1, 16, 100, 0)
        for _ in range(failures): unit.note(1, 0, 0)
        unit.note(flag, code, 0)
        print(STATES[failures], event, STATES[min(unit.failures, 3)])
"""
WALK_SESSION = """
import asyncio
from node import mqtt_login
from node.mqtt import Mqtt
from node.wait import Bell
class Wire:
    got = 0
    async def fill(self, view): await asyncio.sleep_ms(1000)
    async def send(self, view): pass
    def close(self): pass
CONF = {"site": "s", "node": "n", "broker": {}}
async def begin(mqtt):
    task = asyncio.create_task(mqtt_login.begin(mqtt, Wire(), CONF, "will", "down"))
    while mqtt.reader is None: await asyncio.sleep_ms(0)
    return task
async def granted(mqtt): mqtt._take(0x90, b"\\0\\1\\1")
async def ends(mqtt):
    mqtt.why = None
    class Dead:
        got = 0
        async def fill(self, view): raise OSError(104)
        def close(self): pass
    mqtt.connection = Dead()
    await mqtt.read()
async def close(mqtt): mqtt.close()
def state(mqtt):
    if mqtt.connection is None: return "CLOSED"
    return "BROKEN" if mqtt.why else "ENTERING" if mqtt.granted is None else "UP"
WAYS = {"CLOSED": (), "ENTERING": (begin,), "UP": (begin, granted), "BROKEN": (begin, granted, ends)}
async def walk():
    for before in STATES:
        for event in (begin, granted, ends, close):
            if event in (begin, granted, ends) and (before, event) not in POSSIBLE: continue
            mqtt = Mqtt(Bell(), {b"t": None}, None, int)
            for step in WAYS[before] + (event,):
                if step is event: assert state(mqtt) == before, (before, state(mqtt))
                await step(mqtt)
            print(before, event.__name__.upper(), state(mqtt))
            mqtt.close()
POSSIBLE = (("CLOSED", begin), ("ENTERING", granted), ("ENTERING", ends), ("UP", ends))
asyncio.run(walk())
"""


@pytest.mark.parametrize(
    ("one", "code", "never"),
    [
        (GATE, WALK_GATE, {("STOP", "LET_GO")}),  # an update's job lives no longer than the run
        (UNIT, WALK_UNIT, set()),
        (
            SESSION,
            WALK_SESSION,
            {(state, "BEGIN") for state in ("ENTERING", "UP", "BROKEN")}  # the sender lets go first
            | {(state, "GRANTED") for state in ("CLOSED", "UP", "BROKEN")}  # it is asked for once
            | {(state, "ENDS") for state in ("CLOSED", "BROKEN")},  # there is nothing to end
        ),
    ],
    ids=["gate", "unit", "session"],
)
def test_the_node_does_what_the_other_tables_say(one, code, never, board):
    states = [name for name, _ in one.states]
    said = board(f"import sys\nsys.path.append({str(RIG)!r})\nSTATES = {states!r}\n{code}", "256k")
    rows = [tuple(line.split()) for line in said.splitlines()]
    wrong = [row for row in rows if one.next(*row[:2]) != row[2] and row[:2] not in never]
    assert wrong == []
    every = {(state, event) for state in states for event, _ in one.events}
    assert every - {row[:2] for row in rows} <= never


def test_a_source_without_the_form_is_refused(tmp_path):
    file = tmp_path / "wrong.py"
    good = "# States of a door.\n_OPEN = const(0)  # it is\n\n# Events of a door.\n_PUSH = const(0)  # by a hand\n\n"
    for source, wrong in (
        (good + '_NEXT = const(b"\\0\\0")\n', "2 cells"),
        (good.replace("_OPEN = const(0)", "_OPEN = const(1)") + '_NEXT = const(b"\\0")\n', "count from 0"),
        (good, "no table"),
        ('_NEXT = const(b"\\0")\n', "States"),
    ):
        file.write_text(source)
        with pytest.raises(ValueError, match=wrong):
            machine(file)
