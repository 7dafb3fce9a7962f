"""The whole chain on one machine: simulator, broker, node, gateway and database, started, stopped and killed by name.

async with open_chain(ChainSettings(), machine=Machine(), folder=folder) as chain:
    await chain.house_request({"do": "step", "w": 3000, "seconds": None})
    chain.page_address
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from gateway import paths
from gateway.rig.database import Database
from gateway.rig.part import Machine, Missing, Part
from gateway.rig.parts import find
from gateway.rig.processes import Child, Processes, Program, ProgramError
from gateway.rig.programs import BROKER, DATABASE, GATEWAY, HOUSE, NODE, programs_of
from gateway.rig.run_folder import LOOPBACK, Ports, RunFolder, prepare

STAGES = ((DATABASE, HOUSE, BROKER), (NODE,), (GATEWAY,))
"""Started together within a stage, stage by stage; nodes beyond the first are called `node-<name>`."""
HOUSE_ANSWERS_WITHIN_S = 5.0
EMBEDDED = "amqtt (embedded)"


class PartsMissingError(Exception):
    """The chain cannot run: these parts are missing, each with the reason and the remedy."""

    def __init__(self, missing: list[Missing]) -> None:
        super().__init__("; ".join(f"{one.name}: {one.why}. To have it: {one.remedy}" for one in missing))
        self.missing = missing


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """What kind of chain. `house` and `site` are changes to the two files, merged into them; None takes a key away."""

    house_file: Path = field(default_factory=lambda: paths.config_folder() / "demo" / "house.toml")
    site_file: Path = field(default_factory=lambda: paths.config_folder() / "demo" / "site.toml")
    house: Mapping[str, Any] = field(default_factory=dict)
    site: Mapping[str, Any] = field(default_factory=dict)
    broker: Literal["any", "mosquitto", "embedded"] = "any"
    database: bool = False
    heap_k: int = 112
    """Heap of a node in kibibytes of a 32-bit interpreter; a 64-bit one is given twice as much."""
    clock_offset_s: float = 0.0
    """Moves the gateway, and with it the nodes, into the time of the building, by whole seconds."""
    page_port: int | None = None
    """None for any free one."""


class Chain:
    """A run folder and the programs that use it. Names are those of STAGES."""

    def __init__(
        self, *, run: RunFolder, processes: Processes, programs: Mapping[str, Program], parts: Mapping[str, Part]
    ) -> None:
        self.run = run
        self.processes = processes
        self.programs = programs
        self.parts = parts
        """The foreign parts in use, by their names; without mosquitto the broker is the embedded one."""
        self._children: dict[str, Child] = {}

    @property
    def folder(self) -> Path:
        """Where all files of the run are, logs among them."""
        return self.run.folder

    @property
    def page_address(self) -> str:
        """The gateway's page, without a slash at its end."""
        return f"http://{LOOPBACK}:{self.run.ports.page}"

    @property
    def database(self) -> Database | None:
        """How to reach the database, if the chain has one."""
        if DATABASE not in self.programs:
            return None
        table = self.run.site["database"]
        return Database(url=table["url"], org=table["org"], bucket=table["bucket"], token=self.run.secrets.token)

    async def start_all(self) -> None:
        """Every part that is not running, those it depends on first. ProgramError when one is not ready in time."""
        try:
            for stage in STAGES:
                await self._start_together([name for name in self.programs if name.partition("-")[0] in stage])
        except ExceptionGroup as several:
            mistakes, others = several.split(ProgramError)
            if mistakes is None or others is not None:
                raise
            raise ProgramError("\n".join(map(str, mistakes.exceptions))) from None

    async def _start_together(self, names: list[str]) -> None:
        async with asyncio.TaskGroup() as group:
            for name in names:
                if not self.is_running(name):
                    group.create_task(self.start(name), name=f"start {name}")

    async def start(self, name: str) -> Child:
        """Started and ready. ProgramError when it is not in time."""
        child = await self.processes.start(self.programs[name])
        self._children[name] = child
        if name == DATABASE and self.database:
            await self.database.set_up()
        return child

    async def stop(self, name: str) -> int:
        """Asked to end; its exit code."""
        return await self._children[name].stop()

    async def kill(self, name: str) -> None:
        """`kill -9`."""
        await self._children[name].kill()

    async def restart(self, name: str) -> Child:
        """Stopped and started again, on the same ports and files."""
        await self.stop(name)
        return await self.start(name)

    def need_running(self) -> None:
        """ProgramError with the last words of a part that has ended."""
        for child in self._children.values():
            child.need_running()

    def pause(self, name: str) -> None:
        """It hangs: nothing of it runs, its connections stay open."""
        self._children[name].send(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """It goes on where it was paused."""
        self._children[name].send(signal.SIGCONT)

    def is_running(self, name: str) -> bool:
        """Whether it was started and has not ended."""
        return name in self._children and self._children[name].exit_code is None

    def child(self, name: str) -> Child:
        """The latest start of a part: its process id, exit code and log. KeyError before the first."""
        return self._children[name]

    async def house_request(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One exchange with the simulator's control socket. OSError when it is not there, ValueError for nonsense."""
        async with asyncio.timeout(HOUSE_ANSWERS_WITHIN_S):
            reader, writer = await asyncio.open_connection(LOOPBACK, self.run.ports.control, limit=1 << 24)
            try:
                writer.write(json.dumps(dict(request)).encode() + b"\n")
                answer: dict[str, Any] = json.loads(await reader.readline())
            finally:
                writer.close()
        return answer


@asynccontextmanager
async def open_chain(
    settings: ChainSettings, *, machine: Machine, folder: Path, start: bool = True
) -> AsyncIterator[Chain]:
    """A chain with all its parts running (none with `start=False`); all have ended when the block ends.

    PartsMissingError when a part cannot be found: fetching is the caller's choice. Files stay in `folder`, whose path
    must be absolute: programs run in different places of it.
    """
    parts = _parts(settings, machine)
    with Ports.held() as ports:
        run = prepare(
            folder,
            ports=ports,
            house_file=settings.house_file,
            site_file=settings.site_file,
            house=settings.house,
            site=settings.site,
            database=settings.database,
            clock_offset_s=round(settings.clock_offset_s),
            page_port=settings.page_port,
        )
        programs = programs_of(run, parts, heap_k=settings.heap_k)
        async with Processes(logs=run.folder) as processes:
            chain = Chain(run=run, processes=processes, programs=programs, parts=parts)
            if start:
                await chain.start_all()
            yield chain


def _parts(settings: ChainSettings, machine: Machine) -> dict[str, Part]:
    names = ["micropython"]
    names += ["mosquitto"] if settings.broker != "embedded" else []
    names += ["influxd"] if settings.database else []
    found = [find(name, machine) for name in names]
    may_lack = {"mosquitto"} if settings.broker == "any" else set()
    lacking = [one for one in found if isinstance(one, Missing) and one.name not in may_lack]
    if lacking:
        raise PartsMissingError(lacking)
    return {one.name: one for one in found if isinstance(one, Part)}
