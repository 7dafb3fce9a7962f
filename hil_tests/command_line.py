"""`zen` as people type it: a program of its own, its words and its exit code."""

import asyncio
import os
import subprocess
from pathlib import Path

from gateway.rig.zen_command import ZEN, own_environment


def zen(*arguments: object, within_s: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command that has ended."""
    return subprocess.run(
        [*ZEN, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
        env=_environment(environment),
    )


async def zen_beside(
    *arguments: object, cwd: Path, root: Path | None = None, within_s: float = 120, **environment: str
) -> tuple[int, str]:
    """(exit code, all that was printed) of a command while other things go on; `root` is another checkout."""
    process = await asyncio.create_subprocess_exec(
        *ZEN,
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=cwd,
        env=_environment({"LC_ALL": "C.UTF-8", **environment}, root),
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), within_s)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, out.decode()


def _environment(more: dict[str, str], root: Path | None = None) -> dict[str, str]:
    return {**os.environ, **own_environment(root), "COLUMNS": "200", **more}
