"""A broker lets the newer of two clients of one name in: the other finds a way to stay, or stands aside."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from gateway.adapters.broker import CUTS_IN_COMMAND, SEND_S, Broker, BrokerAddress, Message
from gateway.rig.broker import LISTENER, write_accounts
from gateway.rig.part import Part
from gateway.rig.processes import Processes, Program
from gateway.rig.readiness import PortOpen

PASSWORDS = {"gateway": "g-secret", "cellar": "c-secret"}
NAME = "zev-lens-0123abcd"
PATIENCE_S = 30.0
ALONE_S = 2 * SEND_S  # one that is pushed out while it subscribes waits for the answer before it comes back

pytestmark = pytest.mark.hil


@asynccontextmanager
async def broker_at(mosquitto: Part, folder: Path, *, bound: bool) -> AsyncIterator[int]:
    """A broker with one listener, as 0.1.0 configured it or with names bound to accounts."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    write_accounts(folder / "broker", PASSWORDS)
    text = "per_listener_settings true\nuser root\n"
    text += LISTENER.format(port=port, folder=folder / "broker", passwords="passwords")
    text += "use_username_as_clientid true\n" if bound else ""
    (folder / "mosquitto.conf").write_text(text)
    command = (str(mosquitto.path), "-c", str(folder / "mosquitto.conf"))
    async with Processes(logs=folder) as processes:
        ready = PortOpen(host="127.0.0.1", port=port)
        await processes.start(Program(name="broker", command=command, folder=folder, ready=ready))
        yield port


class Ours:
    """A gateway's connection; `renamed` are the names that it took."""

    def __init__(self, port: int, *, commands: bool) -> None:
        self.renamed: list[str] = []
        address = BrokerAddress(
            host="127.0.0.1",
            port=port,
            identity=NAME,
            keeps_session=True,
            user="gateway",
            password=PASSWORDS["gateway"],
            ca=None,
        )
        self.broker = Broker(
            address, will=None, subscriptions=["zev/1/lens/+/data"], rename=self.rename, has_right=lambda: commands
        )
        self.heard: list[Message] = []

    async def rename(self) -> str:
        self.renamed.append(f"{NAME}-{len(self.renamed)}")
        return self.renamed[-1]

    async def until(self, what: str, wanted: object = True) -> None:  # noqa: FBT002 - reads as a sentence
        """Wait for a property of the connection."""
        async with asyncio.timeout(PATIENCE_S):
            while (found := getattr(self.broker, what)) != wanted and not (wanted is True and found):  # noqa: ASYNC110 - as it says itself
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Ours"]:
        task = asyncio.create_task(self.broker.run(self.heard.append), name="broker")
        try:
            await self.until("is_up")
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def steal(port: int, times: int) -> None:
    """A node's account connects under the gateway's name, again when it is pushed out; TimeoutError when it is not."""
    account = {"username": "cellar", "password": PASSWORDS["cellar"]}
    for _ in range(times):
        with contextlib.suppress(aiomqtt.MqttError):
            async with (
                aiomqtt.Client("127.0.0.1", port, identifier=NAME, **account) as client,
                asyncio.timeout(ALONE_S),
            ):
                await anext(aiter(client.messages))


async def test_where_names_are_not_bound_a_thief_of_the_name_is_shaken_off_and_counted(
    mosquitto: Part, tmp_path: Path
) -> None:
    async with broker_at(mosquitto, tmp_path, bound=False) as port, Ours(port, commands=True).running() as ours:
        with pytest.raises(TimeoutError):  # nobody pushes it out of that name any more
            await steal(port, 100)
        await ours.until("is_up")
        assert ours.broker.connections <= CUTS_IN_COMMAND + 2
        assert (ours.broker.takeovers, len(ours.renamed)) == (1, 1)


async def test_of_two_of_one_name_the_newcomer_takes_another(mosquitto: Part, tmp_path: Path) -> None:
    async with broker_at(mosquitto, tmp_path, bound=False) as port, Ours(port, commands=True).running() as first:
        async with Ours(port, commands=False).running() as second:
            await second.until("takeovers")
            await second.until("is_up")
            await first.until("is_up")
        assert (len(first.renamed), len(second.renamed)) == (0, 1)


async def test_where_both_have_one_account_the_newcomer_stands_aside(mosquitto: Part, tmp_path: Path) -> None:
    async with (
        broker_at(mosquitto, tmp_path, bound=True) as port,
        Ours(port, commands=True).running() as first,
        Ours(port, commands=False).running() as second,
    ):
        await second.until("is_contested")
        await first.until("is_up")
        assert second.broker.account == "gateway"
        assert second.broker.error == "somebody else connects as gateway"
        assert not first.broker.is_contested


async def test_a_broker_that_dies_again_and_again_is_no_thief(mosquitto: Part, tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    write_accounts(tmp_path / "broker", PASSWORDS)
    text = "per_listener_settings true\nuser root\n"
    text += LISTENER.format(port=port, folder=tmp_path / "broker", passwords="passwords")
    (tmp_path / "mosquitto.conf").write_text(text)
    command = (str(mosquitto.path), "-c", str(tmp_path / "mosquitto.conf"))
    program = Program(name="broker", command=command, folder=tmp_path, ready=PortOpen(host="127.0.0.1", port=port))
    async with Processes(logs=tmp_path) as processes:
        child = await processes.start(program)
        async with Ours(port, commands=False).running() as ours:
            for _ in range(4):
                await child.kill()
                await ours.until("is_up", wanted=False)
                await ours.until("error", "[Errno 111] Connection refused")
                child = await processes.start(program)
                await ours.until("is_up")
            assert (ours.broker.takeovers, ours.renamed) == (0, [])
