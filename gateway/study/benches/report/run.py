"""Runs benches as a user would, each in a process of its own, and keeps account of what came of it."""

import json
import platform
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from os import cpu_count
from pathlib import Path
from time import perf_counter
from typing import Any

from gateway import __version__
from gateway.study.benches.report.benches import Bench

ACCOUNT = "run.json"
ZEN = (sys.executable, "-m", "gateway", "bench")
PACKAGES = ("numpy", "highspy")
LAST_WORDS = 300


def today() -> str:
    """UTC."""
    return datetime.now(UTC).date().isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What became of a bench. `status`: done, no_command, no_data, failed.

    `why` names the command or the file, or says what the bench said.
    """

    status: str
    command: str
    why: str = ""
    took_s: float = 0.0
    date: str = field(default_factory=today)


def run(bench: Bench, *, data: Path, out: Path, known: Collection[str], zen: Sequence[str] = ZEN) -> Account:
    """One bench; an older result of it is removed first, so that nothing old passes for new."""
    result = out / f"{bench.name}.json"
    result.unlink(missing_ok=True)
    shown = " ".join(["zen bench", *bench.arguments(Path("DATA"))])
    if bench.command not in known:
        return Account(status="no_command", command=shown, why=bench.command)
    if missing := [str(file) for file in bench.files if not (data / file).exists()]:
        return Account(status="no_data", command=shown, why=", ".join(missing))
    before_s = perf_counter()
    done = subprocess.run(
        [*zen, *bench.arguments(data), "--json", str(result)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    took_s = round(perf_counter() - before_s, 1)
    if done.returncode or not result.exists():
        words = (done.stderr.strip() or done.stdout.strip() or f"exit {done.returncode}")[-LAST_WORDS:]
        return Account(status="failed", command=shown, why=" / ".join(words.splitlines()), took_s=took_s)
    return Account(status="done", command=shown, took_s=took_s)


def write_account(out: Path, accounts: dict[str, Account], configuration: str) -> None:
    """`run.json`: machine, day, versions, the configuration as it stood, and every bench.

    Benches of earlier runs that were not run now are kept in it.
    """
    path = out / ACCOUNT
    earlier: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["benches"] if path.exists() else {}
    account = {
        "date": today(),
        "machine": machine(),
        "versions": versions(),
        "configuration": configuration,
        "benches": earlier | {name: asdict(account) for name, account in accounts.items()},
    }
    path.write_text(json.dumps(account, indent=2) + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    """Of us, Python, and what computes."""
    found = {"zen-e-ville": __version__, "Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine() -> str:
    """Processor, cores and system, in one line."""
    return f"{_processor()}, {cpu_count()} cores, {platform.system()} {platform.machine()}"


def _processor(info: Path = Path("/proc/cpuinfo")) -> str:
    try:
        lines = info.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"
