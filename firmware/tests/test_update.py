"""Updates of a whole node: compiled releases, the real broker, the interpreter of the board, in faster time."""

import asyncio
import json
import random
import shutil
import time
from functools import partial
from pathlib import Path

import pytest
import tables
from boards import Board, Sending, Workshop
from node_rig import KEY, NODE, SITE, figure, identity, until
from test_tool import SITE as TOOL_SITE
from test_tool import NodeRig

from gateway.release.keys import new_pair

pytestmark = pytest.mark.hil
SPEED, TRIAL_SPEED = 10, 40  # trials are long and their time-outs too
TRIAL_S = 300 / TRIAL_SPEED
# Two starts and a proof, which are not faster; more where the first start took longer. A trial of ten minutes: 15 s.
STARTS_S = 6
START_MOST_S = 8  # what a slow start on a busy machine may excuse at most
fast = pytest.mark.parametrize("speed", [TRIAL_SPEED])


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workshop")
    return Workshop(folder, new_pair(folder / "keys"))


@pytest.fixture
def release(workshop):
    """The one that is to be installed; its number is never used again."""
    numbers = iter(range(2, 1000))
    made = []

    def make(how="good", *args, **more):
        number = next(n for n in numbers if not (workshop.folder / str(n)).exists())
        made.append(getattr(workshop, how)(number, *args, **more))
        return made[-1]

    yield make
    for one in made:
        shutil.rmtree(one.folder)


@pytest.fixture
def speed():
    return SPEED


@pytest.fixture
async def board(micropython, broker, gateway, tmp_path, workshop, inverter, speed):
    """A board that runs build 1 and polls an inverter."""
    inverter.put(0, 7)
    board = Board(micropython, tmp_path / "node", Path(__file__).parent.parent, broker.port)
    board.install(workshop.stock, workshop.keys)
    board.speed = speed
    board.poll = tables.table(
        [tables.tcp(inverter.port, timeout_ms=3000)], [{"bus": 0, "id": 1, "wfc": 16}], [tables.block(0, 0, 1, ms=2000)]
    )
    begin = time.monotonic()
    board.start(board.poll)
    await until(lambda: running(gateway) == (1, "run"), "the first state")
    board.start_s = min(time.monotonic() - begin, START_MOST_S)
    yield board
    board.kill()


def running(gateway) -> tuple:
    """(build, mode) of the node's last word."""
    state = gateway.states[-1] if gateway.states else {}
    return state.get("build"), state.get("mode")


@fast
async def test_a_new_release_is_fetched_tried_and_confirmed(board, gateway, release, broker, capsys):
    new = release()
    begin = time.monotonic()
    sending = Sending(new, broker.port)
    await until(lambda: running(gateway) == (new.build, "trial"), "the trial", 40)
    tried = time.monotonic()
    figure(capsys, f"update of {new.size} bytes in {len(new.files)} files: {tried - begin:.1f} s")
    outcome = await sending.end()
    assert (outcome.state, outcome.why, outcome.build) == ("confirmed", "", new.build)
    assert TRIAL_S <= time.monotonic() - tried < 1.5 * TRIAL_S + board.start_s
    assert [state for state, _ in sending.said] == ["asked", "pull", "switch", "trial", "confirmed", "test"]
    assert all(row["ok"] for row in outcome.test), outcome.test
    assert [(row["step"], row["n"]) for row in outcome.test] == [("block", 0), ("unit", 0), ("broker", 0), ("order", 0)]
    assert (outcome.test[0]["text"], outcome.table) == ("0007", identity(board.poll))
    assert "self-test: 4 of 4 good" in board.said()
    assert board.kept()["test"] == 0
    assert sending.progress[-1] == (new.size, new.size)
    assert board.boots == 2
    await until(lambda: running(gateway) == (new.build, "run"), "the word of it")
    board.kill()
    board.start()
    await until(lambda: board.boots == 3 and len(gateway.states) > 4 and gateway.states[-1]["up"], "the next boot")
    assert running(gateway) == (new.build, "run")
    assert "Traceback" not in board.said()


async def test_refusals_reach_the_sender(board, release, broker, workshop, tmp_path):
    stranger = new_pair(tmp_path / "stranger")
    for why, new, how in (
        ("sign", release(key=stranger.private[0]), {}),
        ("board", release(boards=("esp32s3",)), {}),
        ("seal", release(), {"key": bytes(32)}),
        ("older", workshop.good(0), {}),
    ):
        outcome = await Sending(new, broker.port, **how).end()
        assert (outcome.state, outcome.why) == ("refused", why)
    assert board.boots == 1
    assert board.kept().get("trial", 0) == 0


async def test_either_key_may_sign(board, release, broker, workshop):
    assert (await Sending(release(key=workshop.keys.private[1]), broker.port, confirm=False).end()).state == "switched"


async def test_a_file_that_is_not_what_was_signed_is_never_switched_to(board, gateway, release, broker):
    new = release()
    file = new.folder / new.files[3].path
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    outcome = await Sending(new, broker.port).end()
    assert (outcome.state, outcome.why) == ("refused", "hash")
    assert board.boots == 1


TURN = "        await asyncio.sleep_ms(_LOOK_MS)\n"
SESSION = "        broker = self.conf"
POLL = "        while True:\n            beat()\n"
BAD = {
    "raises when it is loaded": ("app", "class App:", "1 // 0\nclass App:"),
    "fails while it is put together": ("start", "    clock = Clock(conf)\n", "    clock = Clock(conf) // 0\n"),
    "crashes after ten seconds": ("boot_count", TURN, TURN + "        app.supervisor.end('crash')\n"),
    "never reaches the broker": ("link", SESSION, "        raise OSError(113)\n" + SESSION),
    "forgets to poll": ("bus", POLL, POLL + "            await asyncio.sleep_ms(1000)\n            continue\n"),
}


async def test_a_node_in_safe_mode_takes_an_update_which_may_try_all_it_can(board, gateway, release, broker, inverter):
    board.kill()
    for key, value in (("short", 3), ("slot", 1)):
        nvs = board.kept() | {key: value}
        (board.directory / "nvs.json").write_text(json.dumps(nvs))
    inverter.asked.clear()
    board.start()
    await until(lambda: running(gateway) == (1, "safe"), "safe mode")
    new = release()
    sending = Sending(new, broker.port, confirm=False)
    await until(lambda: ("switch", "") in sending.said, "the switch")
    assert inverter.asked == []  # and it takes a start until the new one may
    assert (await sending.end()).state == "switched"
    await until(lambda: running(gateway) == (new.build, "trial"), "the trial")
    await until(lambda: inverter.asked, "a poll")


@fast
@pytest.mark.parametrize("name", BAD)
async def test_brings_back_the_old_one_when_the_new_one(name, board, gateway, release, broker, speed):
    new = release("changed", *BAD[name])
    sending = Sending(new, broker.port)
    await until(lambda: ("switch", "") in sending.said, "the switch", 40)
    begin = time.monotonic()
    outcome = await sending.end()
    took_s = time.monotonic() - begin
    assert outcome.state == "back"
    assert outcome.test, "the old one proves itself"
    assert all(row["ok"] for row in outcome.test), outcome.test
    await until(lambda: running(gateway) == (1, "run"), "the old one's word")
    assert took_s < 300 / speed + max(STARTS_S, 3 * board.start_s), "back within five minutes"
    kept = board.kept()
    assert (kept["slot"], kept["trial"]) == (1, 0)
    why = {
        "raises": "b: ZeroDivisionError",
        "fails": "b: TypeError",
        "crashes": "trial: restart",
        "never": "trial: broker",
        "forgets": "trial: bus",
    }
    assert kept["why"].startswith(why[name.split()[0]])
    assert outcome.why == kept["why"]


@fast
async def test_the_command_prints_what_the_node_has_found(board, gateway, release, broker, inverter, tmp_path):
    """One of two units is not there: the release is good, for its bus answers, but the node is not."""
    board.kill()
    units = [{"bus": 0, "id": unit, "wfc": 16} for unit in (1, 9)]
    before = gateway.boot
    board.start(board.poll | {"units": units, "blocks": [*board.poll["blocks"], tables.block(1, 0, 1, ms=2000)]})
    await until(lambda: gateway.boot not in (0, before), "the next boot")
    rig = NodeRig.__new__(NodeRig)
    rig.folder = tmp_path
    site = tmp_path / "site.toml"
    site.write_text(TOOL_SITE.format(broker=broker.port, inverter=inverter.port).replace('"lens"', f'"{SITE}"'))
    code, out = await rig.zen("update", NODE, "--site", site, "--release", release().folder, ZEN_KEY_CELLAR=KEY.hex())
    assert code == 1, out
    said = " ".join(out.split())
    for piece in (
        "The new release runs and is confirmed.", "│ unit 0 │ ✓ good", "│ unit 1 │ ✗ does not answer",
        "no answer in time", "2 of 2 forged orders refused",
    ):  # fmt: skip
        assert piece in said, out
    assert board.kept()["test"] == 2, "for the lamp"


def reached(sending, goal: int) -> bool:
    return bool(sending.progress) and sending.progress[-1][0] >= goal


async def test_an_update_goes_on_after_power_cuts_and_broker_outages(board, gateway, release, broker):
    new = release()
    sending = Sending(new, broker.port, confirm=False)
    dice = random.Random(7)
    goal = 0
    for cut in range(6):
        goal += dice.randrange(1, 6000)
        await until(partial(reached, sending, goal), "progress", 40)
        if cut % 2:
            board.kill()
            await asyncio.sleep(0.1)
            board.start()
        else:
            broker.kill()
            await broker.start()
    assert (await sending.end()).state == "switched", sending.said
    assert [state for state, _ in sending.said].count("asked") > 2, "cut in its middle"
    fetched = [done for done, _ in sending.progress]
    assert fetched == sorted(fetched), "nothing twice"
    await until(lambda: running(gateway)[0] == new.build, "the new one", 40)


async def test_no_switch_while_an_order_holds_an_actuator_that_cannot_be_made_safe(
    board, gateway, release, broker, battery
):
    battery.units = {3}
    battery.put(30775, 0, 0)
    board.kill()
    board.start(tables.battery_table(battery.port) | {"buses": [tables.tcp(battery.port, timeout_ms=3000)]})
    await gateway.ack("safe")
    await gateway.ack("applied", await gateway.order([700], at=1 << 30, ttl=15000))
    battery.fault = lambda request, answer: bytes((request[0], request[1] | 0x80, 4)) if request[1] == 16 else answer
    sending = Sending(release(), broker.port, confirm=False)
    await until(lambda: ("wait", "") in sending.said, "the wait", 40)
    assert board.boots == 2
    battery.fault = None
    assert (await sending.end()).state == "switched"
    assert [(address, words) for _, _, address, words in battery.written][-1] == (40151, [0, 803])


async def test_the_heap_of_a_board_has_room_for_an_update(board, gateway, release, broker, capsys):
    """With files so big that it lasts longer than the pause between two words about its health."""
    before = await until(lambda: len(gateway.health) > 1 and gateway.health[-1], "a health before")
    sending = Sending(release(more={f"node/ballast{i}.mpy": 60000 for i in range(20)}), broker.port, confirm=False)
    during = await until(lambda: [h for h in gateway.health if h.get("update")], "a health during", 40)
    figure(capsys, f"live heap {112000 - before['heap_free']} bytes, {112000 - during[-1]['heap_free']} in an update")
    assert (await sending.end()).state == "switched"
    assert 112000 - during[-1]["heap_free"] <= 72000
