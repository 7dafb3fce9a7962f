"""Random frames into the Modbus decoders of the board: no crash, no growth, and nothing wrong taken for right."""

import ast
import random
import time

import pytest
from bench import figure

pytestmark = pytest.mark.hil

GROWTH_BYTES = 256


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
