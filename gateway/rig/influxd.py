"""A real InfluxDB 2 server.

No distribution packages one. Besides a server that is installed there are two ways: copying it out of the official
container image, or compiling it from its Go module (Flux's parser is Rust).
"""

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from gateway.rig.compilers import NEEDS, lacking
from gateway.rig.debian import run
from gateway.rig.install import replacing
from gateway.rig.part import Candidate, FetchError, Machine, Missing, NotWorkingError, Part, Say, ask, choose

NAME = "influxd"
VERSION = "2.7.12"
IMAGE = "influxdb:2.7"
COMPILE_WITHIN_S = 45 * 60.0
SAY_EVERY_S = 15.0
REMEDY = (
    "`make influxd` (copies it out of its container image where docker runs, else compiles it once with go >= 1.23, "
    "cargo and cc, some minutes), or ZEN_INFLUXD=/path/to/influxd 2.x"
)

# A module's own `replace` does not count for those who import it, so the server's one is repeated here.
GO_MODULE = f"""\
module influxd
go 1.23
require github.com/influxdata/influxdb/v2 v{VERSION}
replace github.com/nats-io/nats-streaming-server v0.11.2 => github.com/influxdata/nats-streaming-server \
v0.11.3-0.20201112040610-c277f7560803
"""
# Flux's Rust forbids warnings and was written for an older compiler, whose successors warn of more.
LENIENT_RUSTC = '#!/bin/sh\nrustc=$1\nshift\nexec "$rustc" "$@" --cap-lints warn\n'


def find(machine: Machine) -> Part | Missing:
    """The server of ZEN_INFLUXD, the machine, or the cache."""
    candidates = machine.in_path(NAME)
    kept = _kept(machine)
    if kept.exists():
        candidates.append(Candidate(path=kept, how="built for this user, in the cache"))
    return choose(name=NAME, machine=machine, candidates=candidates, probe=probe, remedy=REMEDY)


def probe(candidate: Candidate) -> Part:
    """Version 2 is needed: versions 1 and 3 have another interface. One that was compiled by hand calls itself dev."""
    found = re.search(r"InfluxDB (?:v?(\d+)\.(\S+)|dev)", ask(candidate.path, "version"))
    if not found:
        raise NotWorkingError("does not report its version")
    if found[1] not in (None, "2"):
        raise NotWorkingError(f"version {found[1]}.{found[2]}, needed is 2.x")
    version = f"{found[1]}.{found[2]}" if found[1] else _named(candidate.path)
    return Part(name=NAME, path=candidate.path, version=version, how=candidate.how)


def fetch(machine: Machine, say: Say) -> Part | Missing:
    """Copied out of the container image where docker runs, else compiled. Minutes, once."""
    refused = []
    for way in (_copy_from_image, _compile):
        try:
            with replacing(_kept(machine).parent) as folder:
                way(folder, say)
                probe(Candidate(path=folder / NAME, how=""))
        except (FetchError, NotWorkingError) as error:
            refused.append(str(error))
        else:
            return find(machine)
    return Missing(name=NAME, why="; ".join(refused), remedy=REMEDY)


def can_compile() -> bool:
    """Whether everything that compiling needs is on this machine."""
    return not list(lacking(Path(tempfile.gettempdir())))


def _copy_from_image(folder: Path, say: Say) -> None:
    """The image's program runs on the machine itself, so that it is started and killed like every other part."""
    run(["docker", "info"])
    say(f"influxd: copying the server out of the container image {IMAGE}")
    user = f"{os.getuid()}:{os.getgid()}"
    copy = f'cp "$(command -v {NAME})" /out/{NAME}'
    mounted = ["--volume", f"{folder}:/out"]
    run(["docker", "run", "--rm", "--user", user, *mounted, "--entrypoint", "sh", IMAGE, "-c", copy])


def _compile(folder: Path, say: Say) -> None:
    say(f"influxd: to compile it are needed: {NEEDS}")
    missing = list(lacking(Path(tempfile.gettempdir())))
    if missing:
        raise FetchError(f"it cannot be compiled here: {'; '.join(missing)}")
    say(f"influxd: all is there; compiling InfluxDB {VERSION}, about five minutes on two cores, once")
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        environment = _prepared(work)
        _build(work, environment, "pkg-config", "github.com/influxdata/pkg-config", say=say)
        environment["PKG_CONFIG"] = str(work / "pkg-config")  # it makes cargo build Flux when cgo asks for it
        server = "github.com/influxdata/influxdb/v2/cmd/influxd"
        stamp = ("-tags", "sqlite_foreign_keys sqlite_json", "-ldflags", f"-X main.version=v{VERSION}")
        _build(work, environment, NAME, *stamp, server, say=say)
        if shutil.which("strip"):
            run(["strip", str(work / NAME)])
        shutil.copy2(work / NAME, folder / NAME)


def _prepared(work: Path) -> dict[str, str]:
    """The working folder filled; the environment in which go and cargo work there."""
    (work / "go.mod").write_text(GO_MODULE, encoding="utf-8")
    lenient = work / "rustc-lenient"
    lenient.write_text(LENIENT_RUSTC, encoding="utf-8")
    lenient.chmod(0o755)
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "CGO_ENABLED": "1", "RUSTC_WRAPPER": str(lenient)}
    if shutil.which("rustup"):  # Flux names an old toolchain; the installed one does, and nothing is downloaded
        environment["RUSTUP_TOOLCHAIN"] = run(["rustup", "default"]).split(" ")[0]
    return environment


def _build(work: Path, environment: dict[str, str], output: str, *what: str, say: Say) -> None:
    """`go build`, telling now and then how far it is. FetchError with the compiler's last lines."""
    started = said_at = time.monotonic()
    lines: list[str] = []
    command = ["go", "build", "-v", "-o", output, *what]
    with subprocess.Popen(
        command, cwd=work, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as build:
        limit = threading.Timer(COMPILE_WITHIN_S, build.kill)
        limit.start()
        for line in build.stdout or ():
            lines.append(line.rstrip())
            if time.monotonic() - said_at >= SAY_EVERY_S:
                said_at = time.monotonic()
                say(f"influxd: {len(lines)} steps after {said_at - started:.0f} s")
        limit.cancel()
    if build.returncode:
        raise FetchError(f"compiling {output} failed: {cause(lines)}")


def cause(lines: Sequence[str]) -> str:
    """Of what compilers print: the lines that name an error, else the last ones; warnings are none."""
    errors = [
        line
        for line in lines
        if re.search(r"\berror\b(?!s generated)|cannot find|not found|no space", line, re.IGNORECASE)
    ]
    told = [line for line in lines if not line.startswith("warning")]
    return " / ".join(errors[:3] or told[-5:]) or "it said nothing"


def _named(path: Path) -> str:
    """The version that the folder in the cache is named after."""
    found = re.search(r"influxd-(\d\S*)", path.parent.name)
    return found[1] if found else "2 (development build)"


def _kept(machine: Machine) -> Path:
    return machine.cache / f"{NAME}-{VERSION}" / NAME
