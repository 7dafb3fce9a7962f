"""What battery, loads and inverters say in one second is one decision: no two of their texts contradict each other."""

from collections import Counter
from collections.abc import Iterator

import pytest

from gateway.core.control.dispatch import Memory, decide
from gateway.core.model.site import Site
from gateway.core.model.state import Mode, SetPoint
from gateway.tests.core.control.scenes import Scene, Second

TALK_W = 250.0  # a difference that nobody takes for a contradiction: steps of amperes, reports of two seconds


def said(seed: int, seconds: int = 400) -> Iterator[tuple[Second, dict[str, SetPoint], Memory]]:
    """Each second of a scene with what is said in it, by device; only where all are controlled."""
    scene, memory, setpoints = Scene(seed, seconds).run(), Memory(), None
    while True:
        try:
            second = scene.send(setpoints)
        except StopIteration:
            return
        setpoints, memory = decide(second.state, second.site, second.slot, memory, second.requests)
        yield second, {one.device: one for one in setpoints}, memory


def contradictions(second: Second, words: dict[str, SetPoint], memory: Memory) -> Iterator[str]:
    """Each that there is, in words."""
    site: Site = second.site
    loads = [words[load.device] for load in site.loads if load.device in words]
    batteries = [words[battery.id] for battery in site.batteries if battery.id in words]
    batteries = [one for one in batteries if one.mode is Mode.CONTROL]
    for one in (*loads, *(batteries if len(batteries) == 1 else ())):  # the text of several is that of all of them
        yield from in_itself(one)
    yield from of_loads(loads)
    yield from of_battery_and_loads(second, batteries, loads)
    yield from of_what_is_left_to_the_grid(second, batteries, loads, memory)


def in_itself(one: SetPoint) -> Iterator[str]:
    """A text that says another power than is sent, or whose numbers deny it."""
    numbers, power_w, code = one.reason.numbers, one.power_w, one.reason.code
    if one.mode is not Mode.CONTROL or power_w is None:
        return
    says_power = code.startswith(("hold_grid", "load_takes", "load_dips", "load_less"))
    if says_power and abs(numbers["power_w"] - power_w) > TALK_W:
        yield f"{one.device} says {numbers['power_w']:.0f} W and is sent {power_w:.0f} W ({code})"
    if code == "load_takes" and numbers["power_w"] > numbers["surplus_w"] + TALK_W:
        yield f"{one.device} uses more than the surplus: {numbers}"
    if code == "load_little" and numbers["surplus_w"] >= numbers["least_w"]:
        yield f"{one.device} has too little of enough: {numbers}"
    if code in ("load_dips", "load_planned") and numbers["surplus_w"] > numbers["power_w"] + TALK_W:
        yield f"{one.device} has more surplus than it uses: {numbers}"


def of_loads(loads: list[SetPoint]) -> Iterator[str]:
    """Surplus that is used twice."""
    taking = [one for one in loads if one.reason.code == "load_takes"]
    taken_w = sum(one.reason.numbers["power_w"] for one in taking)
    for one in taking:
        if taken_w > one.reason.numbers["surplus_w"] + TALK_W:
            yield f"{taken_w:.0f} W of {one.reason.numbers['surplus_w']:.0f} W surplus are used"


def of_battery_and_loads(second: Second, batteries: list[SetPoint], loads: list[SetPoint]) -> Iterator[str]:
    """Surplus that a load uses and the battery has to give."""
    shown = [one for one in batteries if one.reason.code.startswith("hold_grid_")]
    settled = all(abs((load.power_w or 0.0) - reported(second, load.device)) < TALK_W for load in loads)
    takes = any(load.reason.code == "load_takes" for load in loads)
    if shown and takes and settled:
        net_w = shown[0].reason.numbers["net_w"] - second.site.grid_setpoint_w
        if net_w > sum(load.power_w or 0.0 for load in loads) + TALK_W:
            yield f"a load uses surplus while the battery covers {net_w:.0f} W of it"


def of_what_is_left_to_the_grid(
    second: Second, batteries: list[SetPoint], loads: list[SetPoint], memory: Memory
) -> Iterator[str]:
    """Loads that the battery leaves to the grid though they draw nothing, or draw surplus."""
    site: Site = second.site
    for one in batteries:
        if one.reason.code != "loads_unsupplied":
            continue
        drawn_w = sum(max(reported(second, load.device), memory.loads.sent_w(load.id)) for load in site.loads)
        if one.reason.numbers["loads_w"] > drawn_w + TALK_W:
            yield f"loads are left to the grid that draw nothing: {one.reason.numbers}, {drawn_w:.0f} W"
        if any(load.reason.code == "load_takes" for load in loads) and len(loads) == 1:
            yield "the only load uses surplus, and the battery leaves it to the grid"


def reported(second: Second, device: str) -> float:
    return second.state.reading(device, "p_w").value or 0.0


@pytest.mark.parametrize("seed", range(24))
def test_no_two_texts_of_one_second_contradict_each_other(seed: int) -> None:
    found = [
        f"{second.state.now_s:g} s: {what}"
        for second, words, memory in said(seed)
        for what in contradictions(second, words, memory)
    ]
    assert found == []


def test_the_scenes_say_what_could_contradict() -> None:
    codes: Counter[str] = Counter()
    for seed in range(24):
        for _, words, _ in said(seed, 250):
            codes.update(one.reason.code for one in words.values())
    assert {"load_takes", "load_dips", "load_less", "load_planned", "load_little", "load_yields"} <= codes.keys()
    assert {"loads_unsupplied", "hold_grid_charge", "hold_grid_discharge", "load_runs_on"} <= codes.keys()
