"""The supervisor on the board's interpreter, with a clock that the test moves."""

import pytest

pytestmark = pytest.mark.hil

# A loop of virtual time: nothing waits, every sleep moves the tick.
VIRTUAL = """
import asyncio, time, node.wait
now = [0]
begin = time.ticks_add(time.ticks_ms(), 100000)  # tasks that become ready are stamped with the real tick: the past
asyncio.core.ticks = node.wait.ticks_ms = lambda: time.ticks_add(begin, now[0])
from node.shutdown import drop
from node.supervisor import Supervisor
diary = []
def say(text): diary.append((now[0] // 1000, text))
kept = []
fed = []
supervisor = Supervisor(lambda: fed.append(now[0]), kept.append, say)
async def clockwork():
    while True:
        now[0] += 50
        await asyncio.sleep_ms(0)
def run(*jobs, s):
    async def main():
        asyncio.create_task(clockwork())
        for name, make, deadline in jobs: supervisor.start(name, make, deadline)
        watch = asyncio.create_task(supervisor.watch())
        while now[0] < s * 1000 and not watch.done(): await asyncio.sleep_ms(10)
        return now[0] // 1000
    return asyncio.run(main())
async def steady(beat):
    while True:
        beat()
        await asyncio.sleep_ms(500)
"""


@pytest.fixture
def virtual(board):
    return lambda code: board(VIRTUAL + code).splitlines()


def test_feeds_the_watchdog_while_all_jobs_are_on_time(virtual):
    said = virtual("run(('a', steady, 2000), ('b', steady, 3000), s=60)\nprint(len(fed), kept, diary)")
    count, rest = said[0].split(" ", 1)
    assert 55 <= int(count) <= 61  # once a second
    assert rest == "[] []"


def test_a_job_that_hangs_stops_the_feeding_and_its_name_is_kept(virtual):
    code = """
async def hangs(beat):
    beat()
    await asyncio.sleep_ms(30000)
    while True:
        beat()
        await asyncio.sleep_ms(500)
run(('bus 0', hangs, 5000), ('link', steady, 2000), s=60)
gaps = [b - a for a, b in zip(fed, fed[1:]) if b - a > 2000]
print(kept, len(gaps), 24000 < gaps[0] < 27000)
"""
    assert virtual(code) == ["['late: bus 0', ''] 1 True"]


def test_a_failed_job_starts_again_and_each_pause_is_longer(virtual):
    code = """
starts = []
async def fails(beat):
    starts.append(now[0])
    if len(starts) < 4: raise OSError(len(starts))
    await steady(beat)
run(('bus 0', fails, 5000), s=60)
print([round((b - a), -2) for a, b in zip(starts, starts[1:])], supervisor.restarts, supervisor.reason, len(fed) > 50)
"""
    said = virtual(code)[-1]
    pauses, rest = said.split("] ")
    ms = [int(part) for part in pauses[1:].split(",")]
    for pause, wanted in zip(ms, (250, 1000, 4000), strict=True):
        assert wanted - 100 <= pause <= wanted + 200
    assert rest == "3  True"


def test_five_failures_within_ten_minutes_end_the_run_with_the_last_reason(virtual):
    code = """
async def fails(beat):
    raise ValueError("no such thing")
print(run(('bus 0', fails, 5000), ('b', steady, 2000), s=120), kept)
"""
    said = virtual(code)[-1]
    assert said.endswith("[\"bus 0: ValueError('no such thing',)\"]")
    assert 20 <= int(said.split()[0]) <= 25  # 0.25 + 1 + 4 + 16 s


def test_rare_failures_never_end_the_run(virtual):
    code = """
async def fails(beat):
    for _ in range(700):
        beat()
        await asyncio.sleep_ms(1000)
    raise OSError(5)
run(('bus 0', fails, 5000), s=5000)
print(supervisor.restarts, supervisor.reason)
"""
    restarts, _, reason = virtual(code)[-1].partition(" ")
    assert int(restarts) >= 5
    assert reason == ""


def test_a_job_that_is_done_is_not_missed(virtual):
    code = """
async def done(beat): await asyncio.sleep_ms(100)
run(('once', done, 1000), ('b', steady, 2000), s=30)
print(kept, len(supervisor.jobs), len(fed) > 25)
"""
    assert virtual(code) == ["[] 1 True"]


def test_a_dropped_job_ends_and_is_not_missed(virtual):
    code = """
async def drops(beat):
    jobs = list(supervisor.jobs[:1])
    await asyncio.sleep_ms(5000)
    await drop(supervisor, jobs)
    print("dropped", now[0] // 1000)
ended = []
async def guarded(beat):
    try: await steady(beat)
    finally: ended.append(now[0] // 1000)
run(('a', guarded, 2000), ('d', drops, 20000), s=30)
print(ended, kept, supervisor.restarts)
"""
    assert virtual(code) == ["dropped 5", "[5] [] 0"]


def test_the_pauses_of_a_job_that_must_not_wait_stay_short(virtual):
    code = """
supervisor.start = lambda name, make, deadline, start=supervisor.start: start(name, make, deadline, 1000)
starts = []
async def fails(beat):
    starts.append(now[0])
    if len(starts) < 5: raise OSError(len(starts))
    await steady(beat)
from node import supervisor as module
module._FAILURES = 9
run(('actuator 0', fails, 30000), s=20)
print([b - a for a, b in zip(starts, starts[1:])])
"""
    pauses = [int(part) for part in virtual(code)[-1][1:-1].split(",")]
    for pause, wanted in zip(pauses, (250, 1000, 1000, 1000), strict=True):
        assert wanted - 100 <= pause <= wanted + 200


def test_actuators_are_such_jobs_and_may_take_their_time_for_a_slow_device(board):
    code = """
from node.bus import Plant
from node.poll_table import start
class Supervisor:
    def start(self, *job): print(job[0], *job[2:])
class Part:
    name, number, run = "rs485", 3, None
plant = Plant()
plant.buses.append(Part())
plant.actuators.append(Part())
start(plant, Supervisor())
"""
    assert board(code).splitlines() == ["bus rs485 20000", "actuator 3 30000 1000"]


def test_a_cancellation_that_gets_lost_is_repeated(virtual):
    """As one does that meets a bell, or a time-out that ends at the same moment: three of them."""
    code = """
async def loses(beat):
    for _ in range(3):
        try: await steady(beat)
        except asyncio.CancelledError: pass
    await steady(beat)
async def drops(beat):
    job = supervisor.jobs[0]
    await asyncio.sleep_ms(1000)
    await drop(supervisor, [job])
    print(job.task.done(), supervisor.reason, len(supervisor.jobs))
run(('a', loses, 2000), ('d', drops, 20000), s=10)
"""
    assert virtual(code) == ["True  1"]


def test_a_job_that_cannot_be_ended_ends_the_run(virtual):
    code = """
async def stays(beat):
    while True:
        try: await steady(beat)
        except asyncio.CancelledError: pass
async def drops(beat):
    await drop(supervisor, supervisor.jobs[:1])
run(('a', stays, 2000), ('d', drops, 20000), s=60)
print(kept)
"""
    assert virtual(code) == ["['cannot be ended: a']"]
