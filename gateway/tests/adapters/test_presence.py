"""One gateway commands; the others only watch, and take over when it is gone."""

import json

import pytest

from gateway.adapters.presence import LISTEN_S, PROBE_AGAIN_S, RIVAL_S, SAY_S, Presence


def listening(session: int, instance: str = "me") -> Presence:
    """Connected at 0, its probe back at 1."""
    presence = Presence(instance=instance, session=session)
    probe = presence.probe(1, 0.0)
    assert probe is not None
    presence.receive_probe(probe, 1.0)
    return presence


def said(instance: str, session: int, *, up: bool = True) -> dict[str, object]:
    return {"up": up, "instance": instance, "sid": session}


def test_nothing_is_written_before_everything_said_before_was_heard() -> None:
    presence = Presence(instance="me", session=5)
    probe = presence.probe(1, 0.0)
    assert not presence.may_write(100.0)
    presence.receive_probe(b"another probe", 100.0)
    assert not presence.may_write(200.0)
    presence.receive_probe(probe, 200.0)
    assert not presence.may_write(200.0)
    assert presence.may_write(200.0 + LISTEN_S)
    presence.probe(2, 250.0)  # a new connection listens again
    assert not presence.may_write(300.0)


@pytest.mark.parametrize("session", [1, 5, 9])
def test_who_commands_stays_and_whoever_comes_watches_whatever_their_sessions_are(session: int) -> None:
    first, second = listening(5, "first"), Presence(instance="second", session=session)
    probe = second.probe(1, 2.0)
    second.receive_state(said("first", 5), 2.1, is_old=True)
    second.receive_probe(probe, 2.1)
    assert (first.may_write(3.0), second.may_write(3.0), second.rival(3.0)) == (True, False, "first")
    assert second.session_needed() == (6 if session <= 5 else None)  # by which nodes will obey it, when it is its turn
    assert first.session_needed() is None


@pytest.mark.parametrize(("session", "stays"), [(4, True), (6, False)])
def test_of_two_that_command_at_once_the_one_stays_whom_nodes_obey(session: int, *, stays: bool) -> None:
    ours, theirs = listening(5, "ours"), listening(session, "theirs")
    for one in (ours, theirs):
        assert one.to_say(2.0) == (True, True)
    ours.receive_state(json.loads(theirs.payload(up=True)), 2.0)
    theirs.receive_state(json.loads(ours.payload(up=True)), 2.0)
    assert (ours.may_write(2.1), theirs.may_write(2.1)) == (stays, not stays)
    assert (ours.to_leave(2.1), theirs.to_leave(2.1)) == (not stays, stays)  # said once
    assert not ours.to_leave(2.2)
    assert ours.to_say(2.2)[0] is stays  # again: the other spoke over it


def test_of_two_with_one_name_and_one_session_exactly_one_stays_and_takes_a_higher_session() -> None:
    pair = [listening(5, "clone"), listening(5, "clone")]
    for one in pair:
        one.to_say(2.0)
    for one, other in (pair, pair[::-1]):
        one.receive_state(json.loads(other.payload(up=True)), 2.0)
    assert sorted(one.may_write(2.1) for one in pair) == [False, True]
    [winner] = [one for one in pair if one.may_write(2.1)]
    assert winner.session_needed() == 6


def test_a_former_run_of_ours_is_nobody_else() -> None:
    presence = Presence(instance="me", session=6)
    probe = presence.probe(1, 0.0)
    presence.receive_state(said("me", 5), 0.1, is_old=True)
    presence.receive_probe(probe, 0.2)
    assert presence.may_write(0.3 + LISTEN_S)


def test_the_time_without_a_broker_does_not_make_us_forget_who_commands() -> None:
    second = listening(9, "second")
    second.receive_state(said("first", 9), 1.5)
    away = 1.5 + 10 * RIVAL_S
    second.receive_probe(second.probe(2, away), away)
    assert second.rival(away + RIVAL_S - 1) == "first"
    assert second.rival(away + RIVAL_S + 1) is None


def test_a_gateway_that_says_goodbye_is_followed_at_once_and_a_silent_one_after_a_while() -> None:
    new = listening(9, "new")
    new.receive_state(said("old", 5), 1.5)
    new.receive_state(said("old", 5, up=False), 2.0)
    assert new.may_write(2.0)
    new.receive_state(said("old", 5), 3.0)
    assert not new.may_write(3.0 + RIVAL_S)
    assert new.may_write(3.1 + RIVAL_S)


def test_presence_is_said_first_then_now_and_then_and_again_when_somebody_spoke_over_it() -> None:
    presence = listening(5)
    assert presence.to_say(1.0) == (False, False)
    assert presence.to_say(2.0) == (True, True)
    assert presence.to_say(3.0) == (False, False)
    assert presence.to_say(2.0 + SAY_S) == (True, False)
    presence.receive_state(said("watcher", 9, up=False), 13.0)  # the will of one that only watched
    assert presence.to_say(13.0)[0]


def test_nonsense_and_our_own_words_change_nothing() -> None:
    presence = listening(5)
    for nonsense in (
        {},
        {"up": True},
        {"up": True, "instance": 3, "sid": 1},
        {"up": True, "instance": "x", "sid": "1"},
        {"up": True, "instance": "x", "sid": 2**32},
        {"up": True, "instance": "x", "sid": 9, "run": 3},
    ):
        presence.receive_state(nonsense, 2.0)
    presence.receive_state(json.loads(presence.payload(up=False)), 2.0)
    assert presence.may_write(2.0)


def test_a_probe_that_got_lost_is_sent_again_and_a_returned_one_is_not() -> None:
    presence = Presence(instance="me", session=5)
    assert presence.probe(1, 0.0) is not None
    assert presence.probe(1, PROBE_AGAIN_S - 1) is None
    again = presence.probe(1, PROBE_AGAIN_S)
    assert again is not None
    presence.receive_probe(again, PROBE_AGAIN_S + 1)
    assert presence.probe(1, 10 * PROBE_AGAIN_S) is None


def test_a_gateway_that_only_looks_never_writes_and_gives_way_to_nobody() -> None:
    presence = Presence(instance="me", session=0, writes=False)
    probe = presence.probe(1, 0.0)
    assert probe is not None
    presence.receive_probe(probe, 1.0)
    presence.receive_state(said("other", 0), 1.5)
    assert not presence.may_write(2.0)
    assert presence.to_say(2.0) == (False, False)
    assert presence.rival(2.0) is None
