"""A process that is killed, hangs, fails or talks nonsense gives no plan, in time, and leaves nothing behind."""

import sys
import time
from dataclasses import replace

import pytest

from gateway.core.pricing.goals import Weighed
from gateway.core.pricing.prices import PeakPrice, Period
from gateway.planning.process import WorkerError, ask
from gateway.tests.planning.made_inputs import NOW, inputs, plan

ILL = {
    "killed": ("failed", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
    "hanging": ("late", "while True: pass"),
    "deaf to the end": ("late", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"),
    "out of memory": ("failed", "raise MemoryError"),
    "talking nonsense": ("nonsense", "print('four levels')"),
    "silent": ("nonsense", ""),
    "answering something else": ("nonsense", "import pickle, sys; sys.stdout.buffer.write(pickle.dumps(7))"),
    "not reading": ("failed", "import sys; sys.stdin.close(); sys.exit(3)"),
}


@pytest.mark.parametrize("ill", ILL)
async def test_an_ill_process_gives_no_plan_and_ends(ill: str) -> None:
    code, program = ILL[ill]
    began_s = time.monotonic()
    with pytest.raises(WorkerError) as none:
        await ask(inputs(), command=(sys.executable, "-c", program), patience_s=1.0)
    assert none.value.code == code
    assert time.monotonic() - began_s < 30.0


async def test_a_program_that_is_not_there_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="nowhere"):
        await ask(inputs(), command=("/nowhere/python",))


async def test_what_the_process_says_last_is_reported() -> None:
    with pytest.raises(WorkerError, match="ValueError: out of sun"):
        await ask(inputs(), command=(sys.executable, "-c", "raise ValueError('out of sun')"))


async def test_a_plan_comes_through_as_it_was_made() -> None:
    program = "import pickle, sys\nfrom gateway.tests.planning.made_inputs import plan\n"
    program += "q = pickle.load(sys.stdin.buffer)\npickle.dump(plan(q.now_s), sys.stdout.buffer)"
    assert await ask(inputs(), command=(sys.executable, "-c", program)) == plan()


async def test_the_real_program_plans_a_day() -> None:
    made = await ask(inputs())
    assert len(made.slots) == 96
    assert made.made_s == NOW
    assert made == await ask(inputs())


async def test_a_price_of_the_peak_comes_back_as_a_peak_target_that_is_reported() -> None:
    asked = inputs()
    peak = PeakPrice(eur_per_kw=4.0, periods=(Period(first=0, end=96, due_w=2000.0),))
    prices = replace(asked.prices.effective, peak=peak)
    made = await ask(replace(asked, prices=Weighed(effective=prices, real=prices)))
    assert {slot.peak_target_w for slot in made.slots} == {2000.0}  # 500 W are the most that this building needs
    assert [(note.code, dict(note.numbers)) for note in made.notes] == [
        ("peak_kept", {"due_w": 2000.0, "limit_w": 2000.0})
    ]
