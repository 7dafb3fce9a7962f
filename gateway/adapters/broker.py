"""The MQTT broker: one connection that is always being restored. The only module that imports aiomqtt."""

import asyncio
import logging
import random
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiomqtt

_log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.0  # short: a building without its broker is not controlled
SEND_S = 3.0  # for one message, and for each step of connecting
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
    """Publishes while connected; what cannot be sent is refused, not queued: the newest word counts."""

    def __init__(self, address: BrokerAddress, *, will: Will | None, subscriptions: Sequence[str]) -> None:
        self._address = address
        self._will = will
        self._subscriptions = [(topic, 1) for topic in subscriptions]
        self._client: aiomqtt.Client | None = None
        self.error: str | None = "not connected yet"
        self.connections = 0

    @property
    def is_up(self) -> bool:
        """Whether messages can be sent now."""
        return self._client is not None

    async def run(self, on_message: Callable[[Message], None]) -> None:
        """Connect, and connect again, until cancelled; `connections` counts."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                async with self._connection() as client:
                    await client.subscribe(self._subscriptions, timeout=SEND_S)
                    self._client, self.error, pause_s = client, None, FIRST_PAUSE_S
                    self.connections += 1
                    _log.info("connected to the broker at %s:%d", self._address.host, self._address.port)
                    async for message in client.messages:
                        _deliver(_own(message), on_message)
            except aiomqtt.MqttError as error:
                if self._client is not None or str(error) != self.error:
                    _log.warning("broker at %s:%d: %s", self._address.host, self._address.port, error)
                self.error = str(error)
            finally:
                self._client = None
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

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
        address, will = self._address, self._will
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
