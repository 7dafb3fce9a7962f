"""A scenario in virtual time."""

from collections.abc import Callable
from typing import Any

from gateway.simulator.control import whole_state
from gateway.simulator.fault import Fault
from gateway.trial.page import TwinPage
from gateway.trial.progress import Tell, unseen
from gateway.trial.scenario.events import (
    BrokerStopped,
    CarPlugged,
    CarUnplugged,
    ClockStepped,
    Event,
    GatewayFrozen,
    GatewayKilled,
    GatewayStopped,
    LoadStep,
    NodeHung,
    NodeOffNetwork,
    NodeWithoutPower,
    WaterDrawn,
)
from gateway.trial.scenario.expectation import Row
from gateway.trial.scenario.quantities import belief, truth
from gateway.trial.scenario.scenario_file import Scenario
from gateway.trial.twin.planner import NO_PLAN
from gateway.trial.twin.twin import Twin

TAP_S = 60.0

Act = Callable[[], object]
Do = Callable[[Twin, Any], object]


def run(scenario: Scenario, progress: Tell = unseen) -> list[Row]:
    """One row for each second; `progress` is told the seconds that are over."""
    planned = scenario.run.plan or bool(scenario.file.loads)  # a battery without prices has the plain rule either way
    twin = Twin(scenario.config, scenario.file, plan=planned)
    try:
        return _lived(twin, scenario, progress)
    finally:
        twin.close()


def _lived(twin: Twin, scenario: Scenario, progress: Tell) -> list[Row]:
    page = TwinPage(twin, twin.planner.status if twin.planner else lambda _utc_s: NO_PLAN)
    twin.watch(page)
    due = sorted(_acts(twin, scenario), key=lambda item: item[0])
    rows: list[Row] = []
    for second in range(1, round(scenario.run.seconds) + 1):
        while twin.now_s < second - twin.step_s / 2:
            while due and due[0][0] <= twin.now_s + twin.step_s / 2:
                due.pop(0)[1]()
            twin.step()
        seen = belief(page.state()) if twin.gateway is not None else {}
        rows.append({"t": float(second), **truth(whole_state(twin.house)), **seen})
        progress(float(second))
    return rows


def _acts(twin: Twin, scenario: Scenario) -> list[tuple[float, Act]]:
    """All that begins and ends, with its moment."""
    found: list[tuple[float, Act]] = []
    for one in scenario.happenings:
        begin, end = _begin_and_end(twin, one.what)
        found.append((one.at_s, begin))
        if end is not None and one.until_s is not None:
            found.append((one.until_s, end))
    return found


def _begin_and_end(twin: Twin, what: Fault | Event) -> tuple[Act, Act | None]:
    if isinstance(what, Fault):
        return lambda: twin.begin(what), None  # the house ends it
    end = ENDS.get(type(what))
    return lambda: BEGINS[type(what)](twin, what), None if end is None else lambda: end(twin, what)


def _each_node(act: Callable[[Twin, str], object]) -> Do:
    """Of the node that is named, or of all."""

    def do(twin: Twin, what: Any) -> None:
        for node in twin.nodes if what.node is None else [what.node]:
            act(twin, node)

    return do


def _draw(twin: Twin, what: WaterDrawn) -> None:
    tank = twin.house.loads.tank
    assert tank is not None  # noqa: S101 - the file was checked
    tank.draw(what.litres, what.for_s or TAP_S, twin.now_s)


def _plug(twin: Twin, what: CarPlugged | CarUnplugged) -> None:
    car = twin.house.loads.car
    assert car is not None  # noqa: S101 - the file was checked
    if isinstance(what, CarPlugged):
        car.plug(soc=what.soc)
    else:
        car.unplug()


BEGINS: dict[type[Event], Do] = {
    LoadStep: lambda twin, what: twin.house.building.add_step(what.w, what.for_s),
    CarPlugged: _plug,
    CarUnplugged: _plug,
    WaterDrawn: _draw,
    NodeWithoutPower: _each_node(lambda twin, node: twin.power_node(node, on=False)),
    NodeHung: _each_node(lambda twin, node: twin.hang_node(node)),
    NodeOffNetwork: _each_node(lambda twin, node: twin.cut_node(node, off=True)),
    BrokerStopped: lambda twin, _: twin.stop_broker(),
    GatewayKilled: lambda twin, _: twin.kill_gateway(),
    GatewayStopped: lambda twin, _: twin.stop_gateway(),
    GatewayFrozen: lambda twin, _: twin.freeze_gateway(frozen=True),
    ClockStepped: lambda twin, what: twin.step_clock(what.by_s),
}
ENDS: dict[type[Event], Do] = {
    NodeWithoutPower: _each_node(lambda twin, node: twin.power_node(node, on=True)),
    NodeOffNetwork: _each_node(lambda twin, node: twin.cut_node(node, off=False)),
    BrokerStopped: lambda twin, _: twin.start_broker(),
    GatewayKilled: lambda twin, _: twin.start_gateway_soon(),
    GatewayStopped: lambda twin, _: twin.start_gateway_soon(),
    GatewayFrozen: lambda twin, _: twin.freeze_gateway(frozen=False),
    ClockStepped: lambda twin, what: twin.step_clock(-what.by_s),
}
