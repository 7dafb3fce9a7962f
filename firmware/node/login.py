"""The first two packets of an MQTT connection. Loaded for each login."""

import struct

from micropython import const
from node.mqtt import head, text

_KEEP_ALIVE_S = const(10)  # the node pings twice as often


def packets(client, user, password, will_topic, will, topics):
    """CONNECT, and SUBSCRIBE with packet id 1."""
    return connect_packet(client, user, password, will_topic, will), subscribe_packet(1, topics)


def connect_packet(client, user, password, will_topic, will):
    """CONNECT with a clean session and a retained will of QoS 1."""
    flags = 0x02 | 0x04 | 0x08 | 0x20
    body = text(client) + text(will_topic) + text(will)
    if user is not None:
        flags |= 0x80 | 0x40
        body += text(user) + text(password)
    body = text("MQTT") + struct.pack(">BBH", 4, flags, _KEEP_ALIVE_S) + body
    return head(0x10, len(body)) + body


def subscribe_packet(packet_id, topics):
    """SUBSCRIBE to each of `topics` (in bytes) with QoS 1."""
    body = struct.pack(">H", packet_id)
    for topic in topics:
        body += text(topic) + b"\1"
    return head(0x82, len(body)) + body
