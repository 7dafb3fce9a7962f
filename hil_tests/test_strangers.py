"""Somebody with the account of a node, a node with a wrong clock: control goes on, and the page says what is wrong."""

import asyncio
import contextlib
import json
import random
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from gateway.rig.chain import Chain, ChainSettings

from .conftest import QUIET, OpenChain, house, state, status, stored_lines, until, until_controlled

ATTACK_S = 12.0  # longer than the lease
NTP_1970 = 2_208_988_800
EPOCH_2000 = 946_684_800
TEN_MINUTES_S = 600


def thief(chain: Chain, name: str | None = None, **more: Any) -> aiomqtt.Client:
    """A client with the account of the node, as its node.json has it."""
    broker = json.loads((chain.run.node_folder("cellar") / "node.json").read_text())["broker"]
    return aiomqtt.Client(
        broker["host"], broker["port"], username=broker["user"], password=broker["password"], identifier=name, **more
    )


def names_of_the_gateway(chain: Chain) -> set[str]:
    """All that the broker has ever known it by: more than a thief can know."""
    log = (chain.folder / "broker.log").read_text()
    return {line.split(" as ")[1].split(" ")[0] for line in log.splitlines() if "u'gateway'" in line}


def scattered(boot: int, table: int, random_: random.Random) -> bytes:
    """255 records of a second, with numbers from anywhere."""
    now = int(time.time()) - EPOCH_2000
    head = struct.pack(">BBIIIIH", 2, 255, table, boot, 1, now, 0)
    return head + b"".join(struct.pack(">IIHBBBB", random_.randrange(1, 2**32), now, 0, 2, 0, 1, 0) for _ in range(255))


async def said_by_the_node(chain: Chain) -> dict[str, Any]:
    """Its retained state, read with the gateway's account."""
    account = chain.run.site["broker"]["user"]
    async with aiomqtt.Client(
        "127.0.0.1", chain.run.ports.gateway, username=account, password=chain.run.secrets.passwords[account]
    ) as client:
        await client.subscribe("zev/1/+/cellar/state")
        return json.loads((await anext(aiter(client.messages))).payload)


def written_bytes(pid: int) -> int:
    """What a process has had written to disk."""
    lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


@pytest.mark.timeout(180)
async def test_whoever_has_the_account_of_a_node_neither_silences_nor_loads_the_gateway(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        site = chain.run.site["site"]["id"]
        node = await said_by_the_node(chain)
        begun, written = time.monotonic(), written_bytes(chain.child("gateway").pid)

        # The name of the gateway, again and again: the node's own connection is all that can be taken.
        while time.monotonic() < begun + ATTACK_S:
            for name in names_of_the_gateway(chain) | {"gateway"}:
                with contextlib.suppress(aiomqtt.MqttError):
                    async with thief(chain, name) as client:
                        await client.publish(
                            f"zev/1/{site}/cellar/ack", b'{"seq":1,"s":1,"ms":0,"why":"session"}', qos=1
                        )
            await until_heard(chain, more=1)
            await asyncio.sleep(1)
        assert "takeovers" not in (await state(chain))["links"]

        # An oldest number that no node has reached, and records with numbers from anywhere.
        dice, far = random.Random(1), 2**32 - 1
        async with thief(chain) as client:
            head = struct.pack(">BBIIIIH", 2, 1, node["table"], node["boot"], far, 0, 0)
            await client.publish(
                f"zev/1/{site}/cellar/data", head + struct.pack(">IIHBBBB", far, 0, 0, 2, 0, 1, 0), qos=1
            )
            for _ in range(500):
                await client.publish(f"zev/1/{site}/cellar/data", scattered(node["boot"], node["table"], dice), qos=1)
        await until(lambda: names_the_node(chain), "the page names the node")

        async def is_over() -> bool:
            return (await status(chain))["nodes"]["cellar"].get("refused", 0) > 500 * 250

        await until(is_over, "the flood has been left alone")
        counts = await status(chain)
        rate = (written_bytes(chain.child("gateway").pid) - written) / (time.monotonic() - begun)
        figures = f"{rate / 1000:.0f} kB/s written, cycle late p99 {counts['cycle_late_ms']['p99']:.0f} ms"
        assert rate < 200_000, figures
        assert counts["cycle_late_ms"]["p99"] < 250, figures
        assert counts["nodes"]["cellar"]["lost"] == 0
        assert counts["orders"]["refused"] == 0
        await until_heard(chain, more=20)
        modes = (await house(chain, do="modes"))["rows"]
        assert [mode for since, mode in modes if since > begun] == []  # under control all the time


async def until_heard(chain: Chain, more: int) -> None:
    """So many more of the node's own records are stored: it is connected."""
    received = (await status(chain))["nodes"]["cellar"]["received"]

    async def goes_on() -> bool:
        return (await status(chain))["nodes"]["cellar"]["received"] >= received + more

    await until(goes_on, "the node's own records are stored")


async def names_the_node(chain: Chain) -> bool:
    """The page says that answers came which nobody gave."""
    [node] = (await state(chain))["links"]["nodes"]
    return node.get("strays", 0) > 0


class WrongTime(asyncio.DatagramProtocol):
    """A time server that is ten minutes ahead (RFC 4330)."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        now = time.time() + NTP_1970 + TEN_MINUTES_S
        stamp = struct.pack(">II", int(now), int(now % 1 * 2**32))
        self.transport.sendto(struct.pack(">BBbb12x", 0x24, 2, 0, -20) + stamp + data[40:48] + stamp + stamp, addr)


@asynccontextmanager
async def wrong_time() -> AsyncIterator[int]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(WrongTime, local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@pytest.mark.timeout(180)
async def test_a_node_whose_time_server_is_ten_minutes_ahead_is_commanded_and_dated_as_any_other(
    chain_of: OpenChain,
) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain, wrong_time() as port:
        await until_controlled(chain)
        file = chain.run.node_folder("cellar") / "node.json"
        conf = json.loads(file.read_text())
        file.write_text(json.dumps(conf | {"time": {"port": port}}))
        await chain.kill("node")
        before, lines = time.time(), len(stored_lines(chain))
        sent = (await status(chain))["orders"]["sent"]
        await chain.start("node")

        async def is_named() -> bool:
            [node] = (await state(chain))["links"]["nodes"]
            return abs(node.get("ahead_s", 0.0) - TEN_MINUTES_S) < 2

        await until(is_named, "the page says that its clock is fast")

        async def is_commanded() -> bool:
            return (await status(chain))["orders"]["sent"] > sent + 15

        await until(is_commanded, "orders go on")
        orders = (await status(chain))["orders"]
        health = (await status(chain))["nodes"]["cellar"]["health"]
        assert health["orders"].get("old", 0) == 0
        assert (orders["refused"], orders["failed"]) == (0, 0)
        await chain.stop("gateway")
        after = time.time()
        ahead = ("plan,", "load_plan,", "price,")  # of slots to come
        rows = [line for line in stored_lines(chain)[lines:] if not line.startswith(ahead)]
        moments = [int(line.rpartition(" ")[2]) / 1000 for line in rows]
        assert len(moments) > 50
        assert before - 30 < min(moments)
        assert max(moments) < after + 1
