"""The table of states of several gateways is walked: each row does what it says, and no pair is forgotten."""

import itertools
from dataclasses import dataclass, field

import pytest

from gateway.adapters.presence import (
    LISTEN_S,
    PRESENCE_MEANING,
    PRESENCE_TRANSITIONS,
    RIVAL_S,
    Presence,
    PresenceEvent,
    PresenceState,
)

TO_THEM = {  # the shortest way to each state from the start of a gateway
    PresenceState.LOOKS: [PresenceEvent.CONNECTED],
    PresenceState.LISTENS: [PresenceEvent.CONNECTED],
    PresenceState.LISTENS_BEHIND: [PresenceEvent.CONNECTED, PresenceEvent.OTHER],
    PresenceState.COMMANDS: [PresenceEvent.CONNECTED, PresenceEvent.HEARD],
    PresenceState.GIVES_WAY: [PresenceEvent.CONNECTED, PresenceEvent.HEARD, PresenceEvent.OTHER],
}


@dataclass
class Gateway:
    """A gateway with session 9 and its time, in which events happen. `by`: in which of its ways an event does."""

    writes: bool
    by: str
    now_s: float = 1000.0
    connection: int = 0
    last_probe: bytes = b""
    presence: Presence = field(init=False)

    def __post_init__(self) -> None:
        self.presence = Presence(instance="me", session=9, writes=self.writes)

    def meet(self, event: PresenceEvent) -> None:
        match event:
            case PresenceEvent.CONNECTED:
                self.connection += 1
                self.last_probe = self.presence.probe(self.connection, self.now_s) or b""
            case PresenceEvent.HEARD:
                self.presence.receive_probe(self.last_probe, self.now_s)
                self.now_s += LISTEN_S
            case PresenceEvent.OTHER:
                self.presence.receive_state({"up": True, "instance": "old", "sid": 12}, self.now_s)
            case PresenceEvent.GONE if self.by == "will":
                self.presence.receive_state({"up": False, "instance": "old", "sid": 12}, self.now_s)
            case PresenceEvent.GONE:
                self.now_s += RIVAL_S + 0.1

    def state(self) -> PresenceState:
        return self.presence.state(self.now_s)


def in_state(state: PresenceState, by: str) -> Gateway:
    gateway = Gateway(writes=state is not PresenceState.LOOKS, by=by)
    for event in TO_THEM[state]:
        gateway.meet(event)
    assert gateway.state() is state
    return gateway


@pytest.mark.parametrize("by", ["will", "silence"])
@pytest.mark.parametrize(("state", "event"), list(itertools.product(PresenceState, PresenceEvent)))
def test_each_event_leads_where_the_table_says(state, event, by) -> None:
    gateway = in_state(state, by)
    gateway.meet(event)
    assert gateway.state() is PRESENCE_TRANSITIONS.get((state, event), state)


@pytest.mark.parametrize("state", PresenceState)
def test_only_one_state_sends_orders(state) -> None:
    gateway = in_state(state, "will")
    assert gateway.presence.may_write(gateway.now_s) is (state is PresenceState.COMMANDS)


def test_each_state_and_event_has_a_meaning_and_each_state_but_the_one_that_looks_can_be_left_and_reached() -> None:
    assert list(PRESENCE_MEANING) == [*PresenceState, *PresenceEvent]
    acting = set(PresenceState) - {PresenceState.LOOKS}
    assert {state for state, _ in PRESENCE_TRANSITIONS} == acting
    assert set(PRESENCE_TRANSITIONS.values()) == acting
    assert {event for _, event in PRESENCE_TRANSITIONS} == set(PresenceEvent)
    assert all(state is not after for (state, _), after in PRESENCE_TRANSITIONS.items())
