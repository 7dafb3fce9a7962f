"""A cycle follows each sample; a late one is not caught up; another gateway makes it look only."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from gateway.core.control.memory import StoredMemory
from gateway.core.model.plan import LoadSlot
from gateway.core.model.state import Mode, Reading, Reason, SetPoint, SiteState
from gateway.database.tags import RowOrigin
from gateway.loop import Loop
from gateway.ports import Cycle, Row

from .core.building import CAR, site
from .core.plant import SITE

ROLES = {"grid": "grid", "pv": "pv", "battery": "battery", "car-meter": "load"}


@dataclass
class World:
    """The edge of the loop in virtual time: samples arrive at the given moments."""

    arrivals: list[float]
    now_s: float = 0.0
    other: str | None = None
    sent: list[SetPoint] = field(default_factory=list)
    kept: list[Row] = field(default_factory=list)
    shown: list[Cycle] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    work_s: float = 0.0
    silent_after_s: float = 1e9
    car: bool = False
    sent_at_answer: int = 0
    attended: int = 0

    def slot(self, _utc_s):
        return None

    def requests(self, _state):
        due = LoadSlot(power_w=3680.0, value=2.0, reason=Reason(code="load_must"))
        return {"car": due} if self.car else {}

    def utc_s(self) -> float:
        return 1e9 + self.now_s

    def monotonic_s(self) -> float:
        return self.now_s

    async def sample(self, timeout_s: float) -> float | None:
        if self.now_s > 20:
            raise asyncio.CancelledError
        due = [a for a in self.arrivals if a <= self.now_s]
        if due:
            self.arrivals = [a for a in self.arrivals if a > self.now_s]
            return due[-1]
        nearest = min(self.arrivals, default=1e9)
        self.now_s = min(self.now_s + timeout_s, nearest)
        return await self.sample(0) if nearest <= self.now_s else None

    def state(self) -> SiteState:
        self.starts.append(round(self.now_s, 3))
        self.now_s += self.work_s
        shown_s = min(self.now_s, self.silent_after_s)
        fresh = {"p_w": Reading(value=500.0 + shown_s, measured_s=shown_s)}
        battery = {**fresh, "soc": Reading(value=0.5, measured_s=self.now_s)}
        sun = {"p_w": Reading(value=-500.0 - shown_s, measured_s=shown_s)}
        devices = {"grid": fresh, "pv": sun, "battery": battery}
        if self.car:
            values = {"p_w": 0.0, "plugged": 1.0}
            devices["car-meter"] = {name: Reading(value=w, measured_s=shown_s) for name, w in values.items()}
        return SiteState(now_s=self.now_s, utc_s=self.utc_s(), devices=devices)

    async def send(self, setpoint: SetPoint) -> None:
        self.sent.append(setpoint)

    async def answered(self) -> None:
        self.sent_at_answer = len(self.sent)

    def yields_to(self) -> str | None:
        return self.other

    async def save(self, rows: Sequence[Row]) -> None:
        self.kept += rows

    async def attend(self) -> None:
        self.attended += 1

    def show(self, cycle: Cycle) -> None:
        self.shown.append(cycle)


def loop_of(world: World) -> Loop:
    return Loop(
        site=replace(SITE, loads=site(CAR).loads) if world.car else SITE,
        origin=RowOrigin(site="s", building="s", roles=ROLES),
        clock=world,
        measurements=world,
        actuation=world,
        persistence=world,
        link=world,
        plans=world,
        observers=(world,),
        lasting=StoredMemory(),
    )


async def run(world: World) -> World:
    loop = loop_of(world)
    with pytest.raises(asyncio.CancelledError):
        await loop.run()
    return world


async def test_each_sample_starts_a_cycle_at_once() -> None:
    world = await run(World(arrivals=[1.0, 2.02, 3.01, 4.0]))
    assert world.starts[:4] == [1.0, 2.02, 3.01, 4.0]
    assert world.shown[0].late_ms == 0
    assert world.attended == len(world.shown)  # once a cycle


async def test_without_samples_the_loop_still_turns() -> None:
    world = await run(World(arrivals=[]))
    assert world.starts[:3] == [1.25, 2.5, 3.75]


async def test_a_burst_of_old_samples_is_one_cycle() -> None:
    world = await run(World(arrivals=[1.0, 1.1, 1.2, 1.3, 2.3]))
    assert world.starts[:2] == [1.0, 2.25]


async def test_a_late_cycle_is_not_caught_up() -> None:
    world = await run(World(arrivals=[1.0, 2.0, 3.0, 4.0, 5.0], work_s=2.5))
    assert world.starts[:3] == [1.0, 3.5, 6.0]
    assert world.shown[1].late_ms == pytest.approx(500)


async def test_another_gateway_makes_this_one_only_watch() -> None:
    world = await run(World(arrivals=[1.0, 2.0], other="aaaa"))
    assert world.sent == []
    assert {cycle.setpoint.mode for cycle in world.shown} == {Mode.WATCH}
    assert world.shown[0].setpoint.reason.numbers == {"other": "aaaa"}


async def test_a_release_is_said_at_once_and_then_every_five_seconds() -> None:
    world = await run(World(arrivals=[1.0, 2.0], silent_after_s=2.0))
    released = [world.starts[i] for i, cycle in enumerate(world.shown) if cycle.setpoint.mode is Mode.RELEASE]
    assert released[0] == pytest.approx(2 + 8, abs=1.3)
    assert len([setpoint for setpoint in world.sent if setpoint.power_w is None]) == 3  # in 20 s


async def test_leaving_gives_the_battery_back_and_waits_for_the_answer() -> None:
    world = World(arrivals=[1.0])
    loop = loop_of(world)
    await loop.cycle()
    await loop.release()
    assert world.sent[-1].power_w is None
    assert world.sent_at_answer == len(world.sent)


async def test_state_and_decision_are_stored_with_the_reason_s_numbers() -> None:
    world = await run(World(arrivals=[1.0]))
    state, control = world.kept[:2]
    grid, pv, battery = (state.fields[name] for name in ("grid_w", "pv_w", "battery_w"))
    assert state.fields["load_w"] == grid - pv - battery
    assert control.measurement == "control"
    assert control.fields["reason"] == world.shown[0].setpoint.reason.code
    assert "why_net_w" in control.fields


async def test_a_load_is_commanded_kept_and_given_back_like_a_battery() -> None:
    world = World(arrivals=[1.0], car=True)
    loop = loop_of(world)
    await loop.cycle()
    values = {setpoint.device: setpoint.power_w for setpoint in world.sent}
    assert values["car-meter"] == 3680.0
    control = next(row for row in world.kept if row.tags.get("device") == "car-meter")
    assert (control.fields["p_set_w"], control.fields["reason"]) == (3680.0, "load_must")
    world.sent.clear()
    await loop.release()
    assert {(setpoint.device, setpoint.power_w) for setpoint in world.sent} == {("battery", None), ("car-meter", None)}


async def test_the_base_load_is_without_the_loads() -> None:
    world = World(arrivals=[1.0], car=True)
    cycle = await loop_of(world).cycle()
    state = next(row for row in world.kept if row.measurement == "site")
    devices = sum(state.fields[f"{name}_w"] for name in ("pv", "battery", "loads"))
    assert cycle.load_w == state.fields["load_w"] == state.fields["grid_w"] - devices


async def test_another_gateway_s_loads_are_only_watched() -> None:
    world = await run(World(arrivals=[1.0, 2.0], other="aaaa", car=True))
    assert world.sent == []
    assert {setpoint.mode for cycle in world.shown for setpoint in cycle.setpoints} == {Mode.WATCH}


async def test_without_a_meter_a_load_is_given_back() -> None:
    world = await run(World(arrivals=[1.0, 2.0], silent_after_s=2.0, car=True))
    assert {setpoint.device for setpoint in world.sent if setpoint.power_w is None} == {"battery", "car-meter"}
