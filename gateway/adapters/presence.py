"""One writer per building: which gateway commands when several meet at one broker.

Each gateway says that it is there (retained, with a will, and again every SAY_S). The one with the older session stays;
the other only watches. What another says counts for RIVAL_S, so that no gateway waits for one that has gone without
saying so. A new connection first listens: the broker may have a long backlog for us, so a probe of our own goes round,
and when it is back, everything that was sent before it has been received.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SAY_S = 10.0  # two may get lost before a gateway counts as gone
RIVAL_S = 30.0  # the longest lease: by then every device of a gateway that has gone is back in its own mode
PROBE_AGAIN_S = 10.0  # beyond the time that a long backlog takes
LISTEN_S = 0.5  # beyond the probe's return: retained messages come in an order of the broker's choice


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
    OLDER = "older"
    GONE = "gone"


PRESENCE_MEANING: Mapping[StrEnum, str] = {
    PresenceState.LOOKS: "was started to look only: says nothing, commands nothing, gives way to nobody",
    PresenceState.LISTENS: "has not heard yet what was said before its connection; nobody else is known to command",
    PresenceState.LISTENS_BEHIND: "the same, and another gateway commands",
    PresenceState.COMMANDS: "says that it is there, and sends orders",
    PresenceState.GIVES_WAY: "only watches: another gateway commands",
    PresenceEvent.CONNECTED: "a new connection to the broker",
    PresenceEvent.HEARD: f"{LISTEN_S:g} s since the probe of this connection came back",
    PresenceEvent.OLDER: "a gateway with an older session is there, or a node obeys a newer session than ours",
    PresenceEvent.GONE: f"that gateway says that it goes, or is silent for {RIVAL_S:g} s",
}

# What is not in the table leaves the state as it is.
PRESENCE_TRANSITIONS = {
    (PresenceState.LISTENS, PresenceEvent.HEARD): PresenceState.COMMANDS,
    (PresenceState.LISTENS, PresenceEvent.OLDER): PresenceState.LISTENS_BEHIND,
    (PresenceState.LISTENS_BEHIND, PresenceEvent.HEARD): PresenceState.GIVES_WAY,
    (PresenceState.LISTENS_BEHIND, PresenceEvent.GONE): PresenceState.LISTENS,
    (PresenceState.COMMANDS, PresenceEvent.CONNECTED): PresenceState.LISTENS,
    (PresenceState.COMMANDS, PresenceEvent.OLDER): PresenceState.GIVES_WAY,
    (PresenceState.GIVES_WAY, PresenceEvent.CONNECTED): PresenceState.LISTENS_BEHIND,
    (PresenceState.GIVES_WAY, PresenceEvent.GONE): PresenceState.COMMANDS,
}


@dataclass(slots=True, kw_only=True)
class Presence:
    """What this gateway knows of itself and of others. All moments are monotonic seconds.

    `writes` off: this gateway only watches, announces nothing and gives way to no other.
    """

    instance: str
    session: int
    writes: bool = True
    other: str | None = None  # the gateway that was here first, as last heard
    _other_s: float = 0.0  # when that was
    _connection: int = 0  # number of the one that the probe went out on
    _probe: str | None = None
    _probe_sent_s: float = 0.0
    _probe_back_s: float | None = None
    _said_s: float | None = None

    def payload(self, *, up: bool) -> bytes:
        """What we say of ourselves; with up false it is our will."""
        return json.dumps({"up": up, "instance": self.instance, "sid": self.session}).encode()

    def probe(self, connection: int, now_s: float) -> bytes | None:
        """The probe to send round now: on each new connection, and again when it got lost on its way."""
        if connection != self._connection:
            self._connection, self._said_s, self._probe_back_s = connection, None, None
        elif self._probe_back_s is not None or now_s - self._probe_sent_s < PROBE_AGAIN_S:
            return None
        self._probe, self._probe_sent_s = secrets.token_hex(8), now_s
        return self._probe.encode()

    def receive_probe(self, payload: bytes, now_s: float) -> None:
        """A probe is back; only our newest one counts."""
        if payload.decode("ascii", "replace") == self._probe:
            self._probe_back_s = now_s

    def receive_state(self, said: dict[str, object], now_s: float) -> None:
        """The state of a gateway, or its will; our own comes back as well."""
        instance, session, up = said.get("instance"), said.get("sid"), said.get("up")
        if not isinstance(instance, str) or not isinstance(session, int) or instance == self.instance:
            return
        if up is True and session <= self.session:
            self.other, self._other_s = instance, now_s
            return
        if instance == self.other:
            self.other = None
        self._said_s = None  # its retained message has replaced ours: say again that we are here

    def refused(self, now_s: float) -> None:
        """A node obeys a newer session than ours."""
        self.other, self._other_s = "a newer session", now_s

    def rival(self, now_s: float) -> str | None:
        """The other gateway that commands, if one does; None for a gateway that only looks."""
        if not self.writes or self.other is None:
            return None
        return self.other if now_s - self._other_s <= RIVAL_S else None

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
            self._said_s = now_s
        return due, first
