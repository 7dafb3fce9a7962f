"""Random frames and messages into the decoders of the board: no crash, no growth, nothing wrong taken for right."""

import ast
import random
import re
import subprocess
import time
from pathlib import Path

import pytest
from node_rig import compiled_firmware, figure

pytestmark = pytest.mark.hil

HERE = Path(__file__).parent
GROWTH_BYTES = 256
PATIENCE_S = 7000
SHORT, LONG = 1000, 150_000  # a million and more with all seven
DECODERS = ("Table", "Begin", "Chunk", "Manifest", "Heard", "Presence", "Console")  # of board/decoders.py
FINAL = re.compile(rb'\{"id": (?:null|-?\d+), "(?:ok|error)": ')  # what ends the answer to a line on USB
HELD_BYTES = 4096  # of the last messages: a number of many digits, a reason, the latest lines of the log


def fuzz(runner, micropython, way, count, capsys):
    seed = random.SystemRandom().getrandbits(30)
    begin = time.monotonic()
    said = runner(micropython, patience_s=1700)(f"import fuzz\nfuzz.run({way!r}, {count}, {seed})")
    flags, wrong, growth = ast.literal_eval(said)
    took_s = time.monotonic() - begin
    figure(capsys, f"{way}: {count} frames of seed {seed} in {took_s:.0f} s: flags {flags}, {growth} bytes of growth")
    assert wrong == 0
    assert abs(growth) <= GROWTH_BYTES
    right, bad, exceptions = flags[0], flags[2], flags[3]
    assert min(right, bad, exceptions) > count / 100  # it has reached them all
    assert right < count * 0.9


@pytest.mark.parametrize("way", ["line", "tcp"])
def test_fifty_thousand_random_frames(way, runner, micropython, capsys):
    fuzz(runner, micropython, way, 50_000, capsys)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("way", ["line", "tcp"])
def test_a_million_random_frames(way, runner, micropython, capsys):
    fuzz(runner, micropython, way, 1_000_000, capsys)


def decoders(interpreter: str, folder: Path, which: str, count: int, seed: int) -> tuple[list[int], int]:
    """Runs board/decoders.py in much faster time: the numbers it prints, and how many answers were there before."""
    places = [HERE / "fast", ".frozen", compiled_firmware(), HERE / "board"]
    environment = {"MICROPYPATH": ":".join(map(str, places)), "ZEN_SPEED": "1000"}
    code = f"import decoders\ndecoders.run({which!r}, {seed}, {count})"
    command = [interpreter, "-X", "heapsize=256k", "-c", code]
    answers, last = 0, b""
    with subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as run:
        for line in run.stdout:
            assert b"not to be told" not in line
            assert bytes(range(32)).hex().encode() not in line
            found = len(FINAL.findall(line))
            assert found < 2, line
            answers += found
            last = line if line.strip() else last
    assert run.returncode == 0, last
    return [int(number) for number in last.split()], answers


@pytest.mark.parametrize("which", DECODERS)
@pytest.mark.parametrize(
    "count",
    [SHORT, pytest.param(LONG, marks=[pytest.mark.soak, pytest.mark.timeout(PATIENCE_S)])],
    ids=["short", "long"],
)
def test_whatever_comes_nothing_is_taken_that_is_not_right_and_nothing_grows(
    count, which, micropython, tmp_path, capsys
):
    seed = 1 if count == SHORT else random.SystemRandom().getrandbits(30)
    begin = time.monotonic()
    (taken, asked, growth), answers = decoders(micropython, tmp_path, which, count, seed)
    took_s = time.monotonic() - begin
    figure(
        capsys, f"{which}: {count} messages of seed {seed} in {took_s:.0f} s: {taken} taken, {growth} bytes of growth"
    )
    assert answers == asked
    assert abs(growth) <= HELD_BYTES
    assert count / 100 < taken < count / 2  # it reached what lies behind the refusals
