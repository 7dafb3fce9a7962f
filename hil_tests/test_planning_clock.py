"""Plans while clocks change: the gateway's machine is set, and days of 23 and of 25 hours begin."""

import asyncio
import math
import time
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

import pytest

from gateway.rig.browser import Chromium
from gateway.rig.chain import Chain
from gateway.rig.part import Part
from gateway.rig.programs import GATEWAY

from .conftest import OpenChain, plan, state, status, until, until_mode, until_planned
from .test_planning import EVENING, PARIS, TARIFF, november
from .test_planning_inputs import holds_the_grid

BEFORE = timedelta(minutes=10)  # for the start of the chain on a busy machine; then the rest is skipped but for …
LAST_S = 4.0
# Off-peak 02:30 to 07:00 by the local clock; the plan begins a quarter before the change, at 00:45 UTC of both days.
SHORT = (
    datetime(2025, 3, 30, 2, 0, tzinfo=PARIS) - BEFORE,
    [("HP", 1), ("HC", 16), ("HP", 78), ("HC", 1)],  # 03:00 to 07:00 of summer time: 02:30 does not exist; then 02:30
    ["dim. 01:45", "dim. 03:00", "dim. 03:15"],
)
LONG = (
    datetime(2025, 10, 26, 3, 0, tzinfo=PARIS) - BEFORE,
    [("HC", 1), ("HP", 2), ("HC", 18), ("HP", 75)],  # 02:30 comes again: at 02:00 of winter time the dear price is back
    ["dim. 02:45", "dim. 02:00", "dim. 02:15", "dim. 02:30", "dim. 02:45", "dim. 03:00"],
)
AXIS = """(async () => {
  const place = document.getElementById('plan-chart');
  const told = [];
  const draw = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    if (place.contains(this.canvas) && text.includes(':')) told.push([text, x]);
    draw.apply(this, arguments);
  };
  const [left, width] = [place.querySelector('.u-over').offsetLeft, 600];
  place.style.width = `${width + left + 10}px`;
  while (told.length < 4) await new Promise(requestAnimationFrame);
  return told.map(([text, x]) => [text, (x / devicePixelRatio - left) / width]);
})()"""
STEP = """(() => {
  document.getElementById('plan-chart').dispatchEvent(new KeyboardEvent('keydown', { key: '%s' }));
  return document.querySelector('.plan-time').textContent;
})()"""


async def under_a_clock_that_is_set(chain: Chain) -> None:
    """The gateway runs as ever, but reads a clock that `set_clock` can move."""
    set_clock(chain, 0)
    program = chain.programs[GATEWAY]
    arguments = program.command[program.command.index("run") :]
    script = str(Path(__file__).with_name("set_clock.py"))
    command = (program.command[0], script, str(chain.folder / "shift"), *arguments)
    chain.programs = {**chain.programs, GATEWAY: replace(program, command=command)}


def clock_s(chain: Chain) -> float:
    """UTC seconds of the gateway's machine, but for what `set_clock` has added."""
    return time.time() + chain.run.clock_offset_s


def set_clock(chain: Chain, shift_s: float) -> None:
    """As a whole, or not at all."""
    part = chain.folder / "shift.part"
    part.write_text(f"{shift_s}", encoding="ascii")
    part.replace(chain.folder / "shift")


async def applied(chain: Chain, *, beyond: int) -> dict[str, int]:
    """The gateway's count of orders once so many were obeyed."""

    async def obeyed() -> bool:
        return int((await status(chain))["orders"]["applied"]) >= beyond

    await until(obeyed, f"{beyond} orders are obeyed")
    return dict((await status(chain))["orders"])


async def test_a_clock_that_is_set_forward_and_back_gets_a_plan_that_fits_at_once(chain_of: OpenChain) -> None:
    """By five and a half hours: into the night's price, and back to before the first plan was made."""
    async with chain_of(november(EVENING, soc=0.5), prepare=under_a_clock_that_is_set) as chain:
        made = await until_planned(chain)
        assert made["names"][0] == "HP"
        before = await applied(chain, beyond=12)
        for shift_h, name in ((5.5, "HC"), (-5.5, "HP")):  # from 18:10: 23:40 and 12:40
            set_clock(chain, 3600 * shift_h)

            async def fits(shift_h: float = shift_h) -> bool:
                now = await plan(chain)
                age_s = clock_s(chain) + 3600 * shift_h - now["made_s"] if now["t"] else math.inf
                return -1 < age_s < 60 and now["why"] is None

            await until(fits, f"a plan for {shift_h} h away")
            made = await plan(chain)
            assert made["names"][0] == name
            assert 0 <= made["made_s"] - made["t"][0] < 900
            assert len(made["t"]) == 96
            assert (await state(chain))["setpoint"]["mode"] == "control"
            before = await applied(chain, beyond=before["applied"] + 3)
            assert (before["refused"], before["failed"]) == (0, 0)
        await holds_the_grid(chain)


@pytest.mark.parametrize(("start", "names", "clocks"), [SHORT, LONG], ids=["23 hours", "25 hours"])
async def test_a_day_on_which_clocks_change_is_planned_and_crossed(
    chain_of: OpenChain, chromium: Part, start: datetime, names: list[tuple[str, int]], clocks: list[str]
) -> None:
    """The first plan spans the change; the gateway crosses it, and the next plan begins with it."""
    off_peak = {**TARIFF, "off_peak": [{"hours": ["02:30-07:00"]}]}
    before, after = (list(rows) for rows in (names, names[1:]))
    after[-1] = (after[-1][0], after[-1][1] + 1)  # the next plan reaches a quarter further
    async with chain_of(november(start, soc=0.5, tariff=off_peak), prepare=under_a_clock_that_is_set) as chain:
        change_s = start.timestamp() + BEFORE.total_seconds()
        first = await until_planned(chain)
        assert first["t"] == [change_s - 900 + 900 * step for step in range(96)]
        assert runs(first["names"]) == before
        steps, axis = await asyncio.to_thread(shown_clocks, chromium, chain, len(clocks))
        assert steps == clocks
        assert len(axis) >= 7
        assert all(is_right(label, first["t"][0] + 86400 * place) for label, place in axis), axis
        await until_mode(chain, "control")
        set_clock(chain, change_s - LAST_S - clock_s(chain))
        second = await until_planned(chain, after_s=change_s)
        assert second["t"] == [change_s + 900 * step for step in range(96)]
        assert runs(second["names"])[:-1] == after[:-1]
        assert second["notes"] == first["notes"] == []
        assert set(zip(second["names"], second["buy"], strict=True)) == {("HP", 0.2081), ("HC", 0.1635)}
        await holds_the_grid(chain)


def is_right(label: str, at_s: float) -> bool:
    """Whether the clock below a chart is that of its place, but for a pixel or two (2.4 min each)."""
    minute_s = at_s // 60 * 60
    return label in {f"{datetime.fromtimestamp(minute_s + 60 * away, PARIS):%H:%M}" for away in range(-4, 5)}


def runs(names: list[str]) -> list[tuple[str, int]]:
    """How many steps of one name follow each other."""
    return [(name, len(list(group))) for name, group in groupby(names)]


def shown_clocks(chromium: Part, chain: Chain, count: int) -> tuple[list[str], list[tuple[str, float]]]:
    """What the page says of the first steps of the plan, and each hour below its chart with its place from 0 to 1."""
    browser = Chromium(str(chromium.path))
    try:
        tab = browser.open(f"{chain.page_address}/?lang=fr")
        tab.wait("!document.getElementById('plan-body').hidden && document.querySelector('.u-over') !== null")
        steps = [str(tab.run(STEP % ("Home" if step == 0 else "ArrowRight"))) for step in range(count)]
        return steps, [(str(text), float(place)) for text, place in tab.run(AXIS)]
    finally:
        browser.close()
