"""The pages of states in control and in the gateway."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from gateway.adapters import presence
from gateway.adapters.store import files
from gateway.core.control import arbiter, curtailment, level_rule, limits, load_memory
from gateway.core.control.trust import meter_proof, rules
from gateway.planning import service
from gateway.words import words
from pages.tables import markdown_table


def control_states_page() -> Iterator[str]:
    yield "What control remembers from one second to the next ([how it decides](../control.md)). The tables are those"
    yield "of the code; `gateway/tests/core/control/test_states.py` walks each row.\n"
    yield "## Levels of a plan\n"
    yield "Each is on or off by itself; of those that are on, the first one in this order that has a say decides."
    yield f"A gap is {level_rule.GAP:g} of the batteries' energy between reserve and full. A level at empty or full is"
    yield "always off.\n"
    yield from markdown_table(("while it is on", "level", "on from", "off from"), map(_level, level_rule.LEVELS))
    yield f"A battery that reached its reserve rests until its state of charge is {limits.REST_SOC:g} above it.\n"
    yield "## Meter and batteries\n"
    yield "The first row that holds counts. Where none holds the device is controlled: from every row there is a way"
    yield "back as soon as it no longer holds. A device that was never controlled is watched where another one would be"
    yield "held or released.\n"
    for name, of_one in (
        ("grid meter, for all devices", rules.METER_RULES),
        ("a battery", rules.BATTERY_RULES),
    ):
        yield from markdown_table(
            (name, "mode", "reason"), ((rule.when, f"`{rule.mode}`", f"`{rule.code}`") for rule in of_one)
        )
    yield "## Whether the grid meter is believed\n"
    yield from _transitions(meter_proof.METER_MEANING, meter_proof.METER_TRANSITIONS.items())
    yield "## Minimum up and down times\n"
    yield from _transitions(arbiter.SWITCH_MEANING, arbiter.SWITCH_TRANSITIONS.items())
    yield "## Loads that do not take what they are sent\n"
    yield from _transitions(load_memory.ANSWER_MEANING, load_memory.ANSWERS.items())
    yield "## Curtailment of PV\n"
    yield from _transitions(curtailment.CURTAILMENT_MEANING, curtailment.CURTAILMENT_TRANSITIONS.items())


def gateway_states_page() -> Iterator[str]:
    yield "What the gateway keeps beside the memory of control ([states of control](control-states.md)). The tables are"
    yield "those of the code; a test walks each row. What is not in a table leaves the state as it is.\n"
    yield "## One of several gateways\n"
    yield "`gateway/tests/adapters/test_presence_states.py`\n"
    yield from _transitions(presence.PRESENCE_MEANING, presence.PRESENCE_TRANSITIONS.items())
    yield "## The plan\n"
    yield "`gateway/tests/planning/test_plan_states.py`\n"
    yield from _transitions(service.PLAN_MEANING, service.PLAN_TRANSITIONS.items())
    yield "## The store\n"
    yield "Why its file cannot be used ([what happens then](../store.md))."
    yield "`gateway/tests/adapters/test_store_damage.py`, `gateway/tests/adapters/test_store_away.py`\n"
    english, french = words("en"), words("fr")
    rows = (
        (f"`{cause}`", text, _does(cause), english[f"trouble.store_{cause}"], french[f"trouble.store_{cause}"])
        for cause, text in files.CAUSE_MEANING.items()
    )
    yield from markdown_table(("cause", "what is found", "what is done", "on the page", "sur la page"), rows)


def _does(cause: files.Cause) -> str:
    if cause in files.OF_NO_USE:
        return "put aside; a new file is begun with what can be read"
    if cause is files.Cause.LOST:
        return "a new file is begun with what was in it"
    return "memory, until it can be used again"


def _level(level: level_rule.Level) -> tuple[str, ...]:
    names = {
        level_rule.LevelRule.CHARGE: ("the batteries charge from the grid", "charge"),
        level_rule.LevelRule.SELL: ("the batteries sell to the grid", "export"),
        level_rule.LevelRule.KEEP: ("nothing goes to the building", "reserve"),
        level_rule.LevelRule.LEAVE: ("surplus is left", "fill"),
    }
    does, name = names[level.rule]
    places = {-1.0: "a gap below it", 0.0: "it", 1.0: "a gap above it"}
    way_in, way_out = ("down", "up") if level.is_below else ("up", "down")
    return (
        does,
        f"`{name}`",
        f"{places[level.enter_gaps]}, {way_in}wards",
        f"{places[level.leave_gaps]}, {way_out}wards",
    )


def _transitions(
    meaning: Mapping[StrEnum, str], rows: Iterable[tuple[tuple[StrEnum, StrEnum], StrEnum]]
) -> Iterator[str]:
    """The states and events in words, then each way from one state to another."""
    yield from (f"- `{each}`: {text}" for each, text in meaning.items())
    yield ""
    found = ((f"`{state}`", f"`{event}`", f"`{after}`") for (state, event), after in rows)
    yield from markdown_table(("state", "event", "next state"), found)
