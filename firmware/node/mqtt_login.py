"""The beginning of an MQTT session. Loaded for each."""

import asyncio
import struct

from micropython import const
from node.mqtt import head, text
from node.wait import after

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from collections.abc import Iterable

    from kinds import Conf
    from node.mqtt import Mqtt
    from node.tcp import Connection

_KEEP_ALIVE_S = const(10)  # the node pings twice as often
_PING_MS = const(5000)
_SILENCE_MS = const(15000)
_REFUSED = const(0x80)  # return code of a subscription


async def begin(mqtt: "Mqtt", connection: "Connection", conf: "Conf", will_topic: str, will: str) -> None:
    """Log in and subscribe on a connection of `dial`; OSError when the broker refuses us. `conf` is node.json."""
    mqtt.owed.clear()
    mqtt.why = None
    mqtt.connection = connection
    client = conf["site"] + "-" + conf["node"]
    broker = conf["broker"]
    await mqtt.send(connect_packet(client, broker.get("user"), broker.get("password", ""), will_topic, will))
    mqtt.silent = after(_SILENCE_MS)
    mqtt.ping = after(_PING_MS)
    mqtt.reader = asyncio.create_task(mqtt.read())
    await mqtt.send(subscribe_packet(1, mqtt.handlers))  # need not wait for CONNACK (3.1.4)
    while mqtt.granted is None:
        await mqtt.idle(100)
    if _REFUSED in mqtt.granted:
        raise OSError("subscription refused")


def connect_packet(client: str, user: str | None, password: str, will_topic: str, will: str) -> bytearray:
    """CONNECT with a clean session and a retained will of QoS 1."""
    flags = 0x02 | 0x04 | 0x08 | 0x20
    body = text(client) + text(will_topic) + text(will)
    if user is not None:
        flags |= 0x80 | 0x40
        body += text(user) + text(password)
    body = text("MQTT") + struct.pack(">BBH", 4, flags, _KEEP_ALIVE_S) + body
    return head(0x10, len(body)) + body


def subscribe_packet(packet_id: int, topics: "Iterable[bytes]") -> bytearray:
    """SUBSCRIBE to each of `topics` (in bytes) with QoS 1."""
    body = struct.pack(">H", packet_id)
    for topic in topics:
        body += text(topic) + b"\1"
    return head(0x82, len(body)) + body
