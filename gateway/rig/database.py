"""A scratch InfluxDB: how it is started, set up once, and reached."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

from gateway.rig.exchange import exchange
from gateway.rig.part import Part
from gateway.rig.processes import Program, ProgramError
from gateway.rig.readiness import PageServed

SETUP_WITHIN_S = 20.0
USER = "zen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """What a client needs to know of it."""

    url: str
    org: str
    bucket: str
    token: str

    async def set_up(self) -> None:
        """Make its organisation, bucket and token when it is new. ProgramError when it refuses."""
        async with asyncio.timeout(SETUP_WITHIN_S):
            asked = await exchange(f"{self.url}/api/v2/setup")
            if not asked.json()["allowed"]:
                return
            wish = {
                "username": USER,
                "password": self.token,
                "org": self.org,
                "bucket": self.bucket,
                "token": self.token,
            }
            answer = await exchange(f"{self.url}/api/v2/setup", method="POST", body=json.dumps(wish).encode())
        if answer.status != 201:
            raise ProgramError(
                f"influxd refused its set-up with {answer.status}: {answer.body.decode(errors='replace')}"
            )


def database_program(part: Part, *, port: int, folder: Path) -> Program:
    """A server on 127.0.0.1 with all its files below `folder`, telling nobody of itself."""
    folder.mkdir(exist_ok=True)
    files = ("--bolt-path", str(folder / "influxd.bolt"), "--sqlite-path", str(folder / "influxd.sqlite"))
    engine = ("--engine-path", str(folder / "engine"))
    quiet = ("--reporting-disabled", "--log-level", "warn")
    return Program(
        name="database",
        command=(str(part.path), *files, *engine, "--http-bind-address", f"127.0.0.1:{port}", *quiet),
        folder=folder,
        ready=PageServed(address=f"http://127.0.0.1:{port}/health"),
        ready_within_s=30.0,
    )
