"""Sending a release to a node: it is sent the list of files, fetches what it lacks, and we watch the result."""

import asyncio
import contextlib
import json
import secrets
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.adapters.broker import Broker, BrokerAddress, Message
from gateway.release.build import Release
from gateway.wire import release as form
from gateway.wire import topics
from gateway.wire.sealing import seal

BEGIN_AGAIN_S = 10.0  # without a word from the node
SILENT_S = 600.0
SELF_TEST_S = 180.0  # a minute for network and first answers, then devices that let it wait
EARLY = ("boot", "seal", "memory")  # refusals that come before the node knows the release
TESTED = ("confirmed", "back")  # endings after which the node proves itself
MOST_FILES, MOST_BYTES = 0xFF, 0xFFFFFFFF  # as `wire.release.HEAD` numbers them
FINAL = ("confirmed", "switched", "refused", "back", "silent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it ended: confirmed, switched (not waited for), refused, back or silent; `why` in a word of wire.release.

    `test`: the rows of the node's self-test after that, none where none was due, None where none came; `table`: the
    identity of the poll table that they number.
    """

    state: str
    why: str
    build: int | None
    test: Sequence[Mapping[str, Any]] | None = ()
    table: int = 0


async def send(
    release: Release,
    *,
    broker: BrokerAddress,
    site: str,
    node: str,
    key: bytes,
    progress: Callable[[int, int], None],
    say: Callable[[str, str], None],
    confirm: bool = True,
    silent_s: float = SILENT_S,
) -> Outcome:
    """Serve a release until the node runs it, confirmed; or has refused it, gone back, or been silent for long.

    One that runs on, with the new release or the old, is then heard on its self-test.

    `progress(done, total)` in bytes; `say(state, why)` at each change of asked, pull, wait, switch, trial, the end and
    test.
    """
    sender = _Sender(release, site=site, node=node, key=key, progress=progress, say=say, confirm=confirm)
    connection = Broker(
        replace(broker, identity=f"{broker.identity}-{secrets.token_hex(4)}", keeps_session=False),
        will=None,
        subscriptions=[topics.topic(site, node, leaf) for leaf in (topics.STATE, topics.PULL, topics.TEST)],
    )
    running = asyncio.create_task(connection.run(sender.receive), name="broker")
    try:
        return await sender.run(connection, silent_s)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


class _Sender:
    def __init__(
        self,
        release: Release,
        *,
        site: str,
        node: str,
        key: bytes,
        progress: Callable[[int, int], None],
        say: Callable[[str, str], None],
        confirm: bool,
    ) -> None:
        self._release = release
        self._site, self._node = site, node
        self._key = key
        self._progress = progress
        self._say = say
        self._confirm = confirm
        self._inbox: asyncio.Queue[Message] = asyncio.Queue(maxsize=1000)
        self._boot: int | None = None  # of the node, as its state says
        self._begun: int | None = None  # the boot that was asked
        self._running: int | None = None
        self._stage = ""
        self._left = False  # the node has switched
        self._switched = False  # … while we looked on: then it tests itself in the end
        self._mode = ""
        self._test: Mapping[str, Any] = {}
        self._why = ""

    def receive(self, message: Message) -> None:
        """From the broker's task; what cannot be queued is asked for again."""
        with contextlib.suppress(asyncio.QueueFull):
            self._inbox.put_nowait(message)

    async def run(self, broker: Broker, silent_s: float) -> Outcome:
        clock = asyncio.get_running_loop().time
        heard = asked = clock()
        while self._stage not in FINAL:
            try:
                message = await asyncio.wait_for(self._inbox.get(), 1.0)
            except TimeoutError:
                if clock() - heard > silent_s:
                    self._enter("silent", "")
                elif self._boot is not None and not self._left and clock() - max(heard, asked) > BEGIN_AGAIN_S:
                    self._begun = None
            else:
                if await self._take(broker, message):
                    heard = clock()
            if self._boot is not None and self._begun != self._boot and not self._left and self._stage not in FINAL:
                asked = clock()
                await self._begin(broker)
        return await self._proven(broker, Outcome(state=self._stage, why=self._why, build=self._running))

    async def _proven(self, broker: Broker, outcome: Outcome) -> Outcome:
        """With the self-test of the node, where one is due."""
        if self._stage not in TESTED or not self._switched or self._mode == "safe":  # which touches no device
            return outcome
        self._enter("test", "")
        try:
            async with asyncio.timeout(SELF_TEST_S):
                while self._test.get("boot") != self._boot:
                    await self._take(broker, await self._inbox.get())
        except TimeoutError:
            return replace(outcome, test=None)
        return replace(outcome, test=self._test["rows"], table=self._test["table"])

    async def _begin(self, broker: Broker) -> None:
        order = {
            "do": "begin",
            "boot": self._boot,
            "build": self._release.build,
            "size": len(self._release.manifest.encode()),
            "sig": self._release.signature.hex(),
        }
        text = json.dumps(order, separators=(",", ":"))
        if await broker.publish(self._topic(topics.OTA), seal(self._key, topics.OTA, text), qos=1):
            self._begun = self._boot
            self._enter("asked", "")

    async def _take(self, broker: Broker, message: Message) -> bool:
        """One message of the node; True when it was one about this release."""
        try:
            said = json.loads(message.payload)
            if message.topic == self._topic(topics.STATE):
                return self._state(said)
            if message.topic == self._topic(topics.TEST):
                self._test = {"boot": said["boot"], "table": said["table"], "rows": [*said["rows"]]}
                return True
            if said["boot"] != self._boot or (said["build"] != self._release.build and said["why"] not in EARLY):
                return False
            return await self._pull(broker, said)
        except (ValueError, KeyError, TypeError, RecursionError):
            return False

    def _state(self, said: dict[str, object]) -> bool:
        if not said["up"]:
            return False
        boot, build = said["boot"], said.get("build")
        if not isinstance(boot, int) or not isinstance(build, int):
            return False
        self._boot, self._running, self._mode = boot, build, str(said.get("mode"))
        if build == self._release.build:
            self._progress(self._release.size, self._release.size)
            self._left = True
            self._enter("trial" if said.get("mode") == "trial" else "confirmed", "")
        elif self._left:
            self._enter("back", str(said.get("why", "")))
        return True

    async def _pull(self, broker: Broker, said: dict[str, object]) -> bool:
        number, at, size, state = said["file"], said["at"], said["n"], str(said["state"])
        if not (isinstance(number, int) and isinstance(at, int) and isinstance(size, int)):
            return False
        if not (0 <= number <= MOST_FILES and 0 <= at <= MOST_BYTES):  # no place that a piece could be sent for
            return False
        self._enter(state, str(said["why"]))
        if state == "switch":
            self._left = True
            if not self._confirm:
                self._enter("switched", "")
        if state == "pull":
            if number != form.MANIFEST:
                self._progress(self._before(number) + at, self._release.size)
            piece = self._release.piece(number, at, size)
            head = struct.pack(form.HEAD, self._release.build, number, at)
            await broker.publish(self._topic(topics.CHUNK), head + piece)
        return True

    def _topic(self, leaf: str) -> str:
        return topics.topic(self._site, self._node, leaf)

    def _before(self, number: int) -> int:
        """Bytes of the files before this one."""
        return sum(file.size for file in self._release.files[:number])

    def _enter(self, stage: str, why: str) -> None:
        self._why = why
        if stage != self._stage:
            self._stage = stage
            self._switched = self._switched or stage in ("switch", "trial")
            self._say(stage, why)
