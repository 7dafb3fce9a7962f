"""The MQTT broker: one connection that is always being restored. The only module that imports aiomqtt."""

import asyncio
import logging
import math
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import aiomqtt

_log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.0  # short: a building without its broker is not controlled
SEND_S = 3.0  # for one message, and for each step of connecting
YOUNG_S = 5.0  # a connection that the broker ends before
CUTS = 2  # so often one after the other, though it took us back at once: somebody else connects under our name …
CUTS_IN_COMMAND = 4  # … who gives way, if it is another gateway, before the one that commands does
ASIDE_S, LONGEST_ASIDE_S = 2.0, 300.0  # before we try again then, unless we are the one that commands
PEACE_S = 60.0  # a connection of this length ends the strife
KEEPALIVE_S = 10  # the broker gives us up, and says our will, after 15 s (MQTT 3.1.1, 3.1.2.10: one and a half times)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """The broker and our account there; `identity` names us, and the session that it keeps for us on request."""

    host: str
    port: int
    identity: str
    keeps_session: bool  # what is sent to us while we are away waits there
    user: str | None
    password: str | None
    ca: str | None  # the file of the certificate that vouches for it; None is a connection without TLS


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it came."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker says for us when we are gone; retained."""

    topic: str
    payload: bytes


class Broker:
    """Publishes while connected; what cannot be sent is refused, not queued: the newest word counts.

    `will` gives our will for each connection. A broker lets the newer of two clients of one name in and the older one
    out. Who finds that this happens takes another name (`rename`), and, where the broker knows clients by their account
    so that this does not help, stands aside for longer and longer unless it commands (`has_right`).
    """

    connections = 0
    takeovers = 0  # how often somebody else connected under our name
    is_contested = False  # and we stand aside for it
    _client: aiomqtt.Client | None = None
    _until: asyncio.Timeout | None = None  # of the present connection
    _cuts = 0  # young connections that ended, one after the other
    _strife = 0  # takeovers since the last peace

    def __init__(
        self,
        address: BrokerAddress,
        *,
        will: Callable[[], Will] | None,
        subscriptions: Sequence[str],
        rename: Callable[[], Awaitable[str]] | None = None,
        has_right: Callable[[], bool] = lambda: False,
    ) -> None:
        self._address = address
        self._will = will
        self._subscriptions = [(topic, 1) for topic in subscriptions]
        self._rename = rename
        self._has_right = has_right
        self.error: str | None = "not connected yet"

    @property
    def is_up(self) -> bool:
        """Whether messages can be sent now."""
        return self._client is not None

    @property
    def account(self) -> str:
        """What the broker knows us by."""
        return self._address.user or self._address.identity

    async def run(self, on_message: Callable[[Message], None]) -> None:
        """Connect, and connect again, until cancelled; `connections` counts."""
        pause_s = FIRST_PAUSE_S
        while True:
            lived_s = await self._connected(on_message)
            if lived_s is not None:
                pause_s = FIRST_PAUSE_S
            aside_s = await self._aside_s(lived_s)
            await asyncio.sleep((aside_s or pause_s) * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
            self.is_contested = False
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def begin_anew(self) -> None:
        """End this connection in good order, so that the next one has another will."""
        if self._until is not None and self._client is not None:
            self._until.reschedule(0.0)
            self._until = None

    async def _connected(self, on_message: Callable[[Message], None]) -> float | None:
        """A connection from its beginning to its end: how long it lived (s), None without one, inf when we ended it."""
        begun_s = None
        try:
            async with self._connection() as client:
                begun_s = time.monotonic()
                await client.subscribe(self._subscriptions, timeout=SEND_S)
                async with asyncio.timeout(None) as self._until:
                    self._client, self.error = client, None
                    self.connections += 1
                    _log.info("connected to the broker at %s:%d", self._address.host, self._address.port)
                    async for message in client.messages:
                        _deliver(_own(message), on_message)
        except TimeoutError:
            return math.inf
        except aiomqtt.MqttError as error:
            if self._client is not None or str(error) != self.error:
                _log.warning("broker at %s:%d: %s", self._address.host, self._address.port, error)
            self.error = str(error)
        finally:
            self._client = None
        return None if begun_s is None else time.monotonic() - begun_s

    async def _aside_s(self, lived_s: float | None) -> float | None:
        """How long to stand aside for somebody who connects under our name; None while nobody does."""
        self._cuts = self._cuts + 1 if lived_s is not None and lived_s < YOUNG_S else 0
        if lived_s is not None and PEACE_S <= lived_s < math.inf:
            self._strife = 0
        has_right = self._has_right()
        if self._cuts < (CUTS_IN_COMMAND if has_right else CUTS):
            return None
        self._cuts, self._strife, self.takeovers = 0, self._strife + 1, self.takeovers + 1
        if self._rename is not None:
            self._address = replace(self._address, identity=await self._rename())
        _log.warning("broker at %s:%d: somebody else connects under our name", self._address.host, self._address.port)
        if has_right:
            return None
        self.is_contested = True
        self.error = f"somebody else connects as {self.account}"
        return min(ASIDE_S * 2.0**self._strife, LONGEST_ASIDE_S)

    async def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> bool:
        """Send one message; False when it could not be."""
        if self._client is None:
            return False
        try:
            await self._client.publish(topic, payload, qos=qos, retain=retain, timeout=SEND_S)
        except aiomqtt.MqttError:
            return False
        return True

    def _connection(self) -> aiomqtt.Client:
        address, will = self._address, self._will() if self._will else None
        return aiomqtt.Client(
            hostname=address.host,
            port=address.port,
            username=address.user,
            password=address.password,
            identifier=address.identity,
            clean_session=not address.keeps_session,
            keepalive=KEEPALIVE_S,
            timeout=SEND_S,
            tls_context=ssl.create_default_context(cafile=address.ca) if address.ca else None,
            will=aiomqtt.Will(will.topic, will.payload, qos=1, retain=True) if will else None,
        )


def _deliver(message: Message, on_message: Callable[[Message], None]) -> None:
    """A message that trips us up is put aside: anybody with an account could send it again and again."""
    try:
        on_message(message)
    except Exception:  # noqa: BLE001 - whatever it is: control goes on, and the log has all of it
        _log.exception("a message of %d bytes on %s was not understood", len(message.payload), message.topic)


def _own(message: aiomqtt.Message) -> Message:
    payload = message.payload if isinstance(message.payload, bytes) else str(message.payload or "").encode()
    return Message(topic=str(message.topic), payload=payload, retained=bool(message.retain))
