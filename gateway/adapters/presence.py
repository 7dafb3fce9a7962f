"""One writer per building: which gateway commands when several meet at one broker.

Each gateway that commands says so (retained, with a will, and again every SAY_S). Whoever hears that while it does not
command itself only watches, whatever the sessions and the clocks say. When two began at the same moment the one with
the higher session stays: nodes obey it, too. A gateway that watches takes a session above all that it has heard, so
that the nodes will obey it when it is its turn. What another says counts for RIVAL_S, so that no gateway waits for one
that has gone without saying so. A new connection first listens: the broker may have a long backlog for us, so a probe
of our own goes round, and when it is back, everything that was sent before it has been received.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeGuard

SAY_S = 10.0  # two may get lost before a gateway counts as gone
RIVAL_S = 30.0  # the longest lease: by then every device of a gateway that has gone is back in its own mode
PROBE_AGAIN_S = 10.0  # beyond the time that a long backlog takes
LOST_S = 2.0  # a broker that ends says of each client that it lost it, and then we see that it is the broker
LISTEN_S = 0.5  # beyond the probe's return: retained messages come in an order of the broker's choice
HIGHEST_SESSION = 2**32 - 1  # as much as the wire carries


class PresenceState(StrEnum):
    """What a gateway may do at the broker."""

    LOOKS = "looks"
    LISTENS = "listens"
    LISTENS_BEHIND = "listens_behind"
    COMMANDS = "commands"
    GIVES_WAY = "gives_way"


class PresenceEvent(StrEnum):
    """What leads a gateway from one state to another."""

    CONNECTED = "connected"
    HEARD = "heard"
    OTHER = "other"
    GONE = "gone"


PRESENCE_MEANING: Mapping[StrEnum, str] = {
    PresenceState.LOOKS: "was started to look only: says nothing, commands nothing, gives way to nobody",
    PresenceState.LISTENS: "has not heard yet what was said before its connection; nobody else is known to command",
    PresenceState.LISTENS_BEHIND: "the same, and another gateway commands",
    PresenceState.COMMANDS: "says that it is there, and sends orders",
    PresenceState.GIVES_WAY: "only watches: another gateway commands",
    PresenceEvent.CONNECTED: "a new connection to the broker",
    PresenceEvent.HEARD: f"{LISTEN_S:g} s since the probe of this connection came back",
    PresenceEvent.OTHER: "another gateway says that it commands; while we do, only one with a higher session counts",
    PresenceEvent.GONE: f"that gateway goes, the broker lost it {LOST_S:g} s ago, or it is silent for {RIVAL_S:g} s",
}

# What is not in the table leaves the state as it is.
PRESENCE_TRANSITIONS = {
    (PresenceState.LISTENS, PresenceEvent.HEARD): PresenceState.COMMANDS,
    (PresenceState.LISTENS, PresenceEvent.OTHER): PresenceState.LISTENS_BEHIND,
    (PresenceState.LISTENS_BEHIND, PresenceEvent.HEARD): PresenceState.GIVES_WAY,
    (PresenceState.LISTENS_BEHIND, PresenceEvent.GONE): PresenceState.LISTENS,
    (PresenceState.COMMANDS, PresenceEvent.CONNECTED): PresenceState.LISTENS,
    (PresenceState.COMMANDS, PresenceEvent.OTHER): PresenceState.GIVES_WAY,
    (PresenceState.GIVES_WAY, PresenceEvent.CONNECTED): PresenceState.LISTENS_BEHIND,
    (PresenceState.GIVES_WAY, PresenceEvent.GONE): PresenceState.COMMANDS,
}


@dataclass(slots=True, kw_only=True)
class Presence:
    """What this gateway knows of itself and of others. All moments are monotonic seconds.

    `instance`: its name, kept with its store; `run`: of this run alone, so that a copy of the store is another one.
    `writes` off: this gateway only watches, announces nothing and gives way to no other.
    """

    instance: str
    session: int
    run: str = field(default_factory=lambda: secrets.token_hex(8))
    writes: bool = True
    other: str | None = None  # the gateway that commands, as last heard
    _other_run: str = ""
    _other_s: float = 0.0  # when that was
    _gone_s: float | None = None  # when the broker said that it lost that one
    _highest: int = -1  # session of the others that have commanded while we were there
    _heard: int = -1  # of any other: nodes may have obeyed that one
    _connection: int = 0  # number of the one that the probe went out on
    _probe: str | None = None
    _probe_sent_s: float = 0.0
    _probe_back_s: float | None = None
    _said_s: float | None = None
    _is_said: bool = False  # the others were told that we command …
    _began_s: float = 0.0  # … since then …
    _spoke_s: float | None = None  # … and last then

    def payload(self, *, up: bool, will: bool = False) -> bytes:
        """What we say of ourselves; `will`: what the broker says for us when it has lost us."""
        said = {"up": up, "instance": self.instance, "sid": self.session, "run": self.run}
        return json.dumps(said | ({"will": True} if will else {})).encode()

    def probe(self, connection: int, now_s: float) -> bytes | None:
        """The probe to send round now: on each new connection, and again when it got lost on its way."""
        if connection != self._connection:
            self._connection, self._said_s, self._probe_back_s = connection, None, None
            if self.other is not None and not self._is_said:  # it may have lost the broker as we have
                self._other_s, self._gone_s = now_s, None
        elif self._probe_back_s is not None or now_s - self._probe_sent_s < PROBE_AGAIN_S:
            return None
        self._probe, self._probe_sent_s = secrets.token_hex(8), now_s
        return self._probe.encode()

    def receive_probe(self, payload: bytes, now_s: float) -> None:
        """A probe is back; only our newest one counts."""
        if payload.decode("ascii", "replace") == self._probe:
            self._probe_back_s = now_s

    def receive_state(self, said: Mapping[str, Any], now_s: float, *, is_old: bool = False) -> None:
        """The state of a gateway, or its will; our own comes back as well.

        `is_old`: it was said before we were connected, perhaps by a former run of ours.
        """
        instance, session, run = said.get("instance"), said.get("sid"), said.get("run", "")
        if not isinstance(instance, str) or not isinstance(run, str) or not _is_session(session) or run == self.run:
            return
        self._heard = max(self._heard, session)
        is_up = said.get("up") is True
        if is_up:
            self._highest = max(self._highest, session)
        if not is_up:
            if (instance, run) == (self.other, self._other_run):
                self._gone(now_s, by_will=said.get("will") is True)
            self._said_s = None  # its retained message has replaced ours: say again that we are here
        elif is_old and instance == self.instance:
            return
        elif self._is_said and self.may_write(now_s) and (self.session, self.run) > (session, run):
            self._said_s = None
        else:
            self.other, self._other_run, self._other_s, self._gone_s = instance, run, now_s, None

    def refused(self) -> None:
        """A node obeys a newer session than ours, though nobody else commands."""
        self._highest = max(self._highest, self._heard)

    def session_needed(self) -> int | None:
        """The session to take before we command, so that nodes will obey us; None when ours is high enough.

        Sessions rise by one at a time, and never fall.
        """
        if not self.writes or self._highest < self.session:
            return None
        return self._highest + 1

    def rival(self, now_s: float) -> str | None:
        """The other gateway that commands, if one does; None for a gateway that only looks."""
        if not self.writes or self.other is None or now_s - self._other_s > RIVAL_S:
            return None
        is_lost = self._gone_s is not None and now_s - self._gone_s > LOST_S
        return None if is_lost else self.other

    def has_listened(self, now_s: float, connection: int | None = None) -> bool:
        """Whether everything that others said before our connection (that of this number) has been heard."""
        if connection not in (None, self._connection):
            return False  # it is new, and no probe has gone yet
        return self._probe_back_s is not None and now_s - self._probe_back_s >= LISTEN_S

    def state(self, now_s: float) -> PresenceState:
        """What it may do now, by what was heard and when: time alone leads from some states to others."""
        if not self.writes:
            return PresenceState.LOOKS
        if self.rival(now_s) is None:
            return PresenceState.COMMANDS if self.has_listened(now_s) else PresenceState.LISTENS
        return PresenceState.GIVES_WAY if self.has_listened(now_s) else PresenceState.LISTENS_BEHIND

    def may_write(self, now_s: float) -> bool:
        """Whether orders may be sent now."""
        return self.state(now_s) is PresenceState.COMMANDS

    def to_say(self, now_s: float) -> tuple[bool, bool]:
        """(whether to say now that we are here, whether it is the first time on this connection)."""
        if not self.may_write(now_s):
            return False, False
        first = self._said_s is None
        due = self._said_s is None or now_s - self._said_s >= SAY_S
        if due:
            self._began_s = self._began_s if self._is_said else now_s
            self._said_s = self._spoke_s = now_s
            self._is_said, self.other = True, None
        return due, first

    def has_commanded(self, now_s: float) -> bool:
        """Whether we have said lately that we command, and nobody else has since."""
        return self.rival(now_s) is None and self._spoke_s is not None and now_s - self._spoke_s <= RIVAL_S

    def is_alone(self, now_s: float) -> bool:
        """Whether we have commanded for so long that no order of anybody else can be answered any more."""
        return self._is_said and self.may_write(now_s) and now_s - self._began_s > 2 * RIVAL_S

    def _gone(self, now_s: float, *, by_will: bool) -> None:
        if by_will:
            self._gone_s = now_s
        else:
            self.other = None

    def to_leave(self, now_s: float) -> bool:
        """Whether to say now that we do not command any more: another does."""
        leaves = self._is_said and self.state(now_s) is PresenceState.GIVES_WAY
        self._is_said = self._is_said and not leaves
        return leaves


def _is_session(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < HIGHEST_SESSION
