"""One gateway commands; the others only watch, and take over when it is gone."""

import json

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


def test_the_older_session_stays_and_the_newer_one_watches() -> None:
    old, new = listening(5, "old"), listening(9, "new")
    old.receive_state(said("new", 9), 1.5)
    new.receive_state(said("old", 5), 1.5)
    assert (old.may_write(2.0), new.may_write(2.0)) == (True, False)
    assert new.rival(2.0) == "old"


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


def test_a_node_that_obeys_a_newer_session_makes_us_watch() -> None:
    presence = listening(5)
    presence.refused(2.0)
    assert not presence.may_write(2.0)


def test_nonsense_and_our_own_words_change_nothing() -> None:
    presence = listening(5)
    for nonsense in (
        {},
        {"up": True},
        {"up": True, "instance": 3, "sid": 1},
        {"up": True, "instance": "x", "sid": "1"},
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
