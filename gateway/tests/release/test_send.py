"""What a node may say while a release is sent: nothing of it ends the sender."""

import json

import pytest

from gateway.adapters.broker import Message
from gateway.release.build import Release, build
from gateway.release.keys import new_pair
from gateway.release.send import _Sender
from gateway.wire import release as form
from gateway.wire import topics

SITE, NODE, BOOT = "site", "node", 7


class Wire:
    """Takes what would go to the broker."""

    def __init__(self):
        self.sent = []

    async def publish(self, topic, payload, qos=0):  # noqa: ARG002 - as the connection has it
        self.sent.append((topic, bytes(payload)))
        return True


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> Release:
    keys = new_pair(tmp_path_factory.mktemp("keys"))
    return build(tmp_path_factory.mktemp("release") / "out", ["esp32s3"], keys.private[0], number=9)


@pytest.fixture
def sender(release):
    return _Sender(
        release,
        site=SITE,
        node=NODE,
        key=bytes(32),
        progress=lambda _done, _total: None,
        say=lambda _state, _why: None,
        confirm=True,
    )


def message(leaf: str, payload: bytes) -> Message:
    return Message(topic=topics.topic(SITE, NODE, leaf), payload=payload, retained=False)


def pull(**changes: object) -> bytes:
    asked = {"boot": BOOT, "build": 9, "state": "pull", "why": "", "file": form.MANIFEST, "at": 0, "n": 64}
    return json.dumps(asked | changes).encode()


async def started(sender, wire):
    state = json.dumps({"up": True, "boot": BOOT, "build": 1, "mode": "run"}).encode()
    assert await sender._take(wire, message(topics.STATE, state))


async def test_a_piece_is_sent_for_the_place_that_is_asked_for(sender, release):
    wire = Wire()
    await started(sender, wire)
    assert await sender._take(wire, message(topics.PULL, pull(at=3)))
    ((topic, payload),) = wire.sent
    assert topic == topics.topic(SITE, NODE, topics.CHUNK)
    assert payload == b"\x00\x00\x00\x09\xfe\x00\x00\x00\x03" + release.manifest.encode()[3:67]


@pytest.mark.parametrize(
    "payload",
    [
        pull(file=-1),
        pull(file=256),
        pull(file=10**30),
        pull(at=-1),
        pull(at=2**32),
        pull(at=10**30),
        pull(at=1.5),
        pull(n="many"),
        pull(why=None)[:-1],
        b"[" * 100_000,
        b"\xff\xfe",
        b"9" * 5000,
    ],
    ids=lambda payload: payload[-24:].decode(errors="replace"),
)
async def test_a_place_that_cannot_be_is_not_answered(sender, payload):
    wire = Wire()
    await started(sender, wire)
    assert not await sender._take(wire, message(topics.PULL, payload))
    assert wire.sent == []
    assert await sender._take(wire, message(topics.PULL, pull(n=10**30)))  # a place that is, but not so many bytes
    assert await sender._take(wire, message(topics.PULL, pull()))
    assert len(wire.sent) == 2
