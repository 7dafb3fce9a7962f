"""What repeats itself is told once, and then how often: no flood of any kind fills the disk."""

import io
import logging
from collections.abc import Iterator

import pytest

from gateway.cli import log
from gateway.cli.log import RepeatFilter, tell


class Time:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def told(time: Time) -> Iterator[tuple[logging.Logger, RepeatFilter, io.StringIO]]:
    repeats, stream = RepeatFilter(clock=time), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(repeats)
    root = logging.getLogger("zen-test-log")
    root.propagate = False
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield root, repeats, stream
    root.removeHandler(handler)


def lines(stream: io.StringIO) -> list[str]:
    found = stream.getvalue().splitlines()
    stream.truncate(0)
    stream.seek(0)
    return found


def test_the_same_line_is_told_once_a_minute_with_the_count_of_the_others(told, time: Time) -> None:
    logger, repeats, stream = told
    for i in range(10_000):
        time.now_s = i / 200
        logger.warning("out of %s", "descriptors")
    assert lines(stream) == ["out of descriptors"]
    time.now_s = 61
    tell(repeats)
    assert lines(stream) == ["9999 more in 60 s: out of descriptors"]
    logger.warning("out of %s", "descriptors")
    assert lines(stream) == ["out of descriptors"]
    time.now_s = 200
    tell(repeats)
    tell(repeats)
    assert lines(stream) == []


def test_a_sentence_whose_numbers_change_is_a_flood_too(told, time: Time) -> None:
    logger, repeats, stream = told
    for i in range(5000):
        logger.warning("a message of %d bytes on %s was not understood", i, f"topic-{i}")
    assert len(lines(stream)) == log.SAME_SENTENCE
    time.now_s = 61
    tell(repeats)
    assert lines(stream) == [f"{5000 - log.SAME_SENTENCE} more in 60 s: a message of %d bytes on %s was not understood"]


def test_a_part_that_makes_its_own_sentences_is_bounded_and_no_other_suffers(told, time: Time) -> None:
    logger, repeats, stream = told
    strange, good = logger.getChild("strange"), logger.getChild("good")
    for i in range(5000):
        strange.warning(f"line {i}")  # as foreign libraries do
    good.info("connected")
    found = lines(stream)
    assert len(found) == log.SAME_PART + 1
    assert found[-1] == "connected"
    assert len(repeats._seen) < 3 * log.SAME_PART
    time.now_s = 61
    tell(repeats)
    assert lines(stream) == [f"{5000 - log.SAME_PART} more in 60 s of this part"]


def test_no_line_is_long_and_none_trips_up_who_writes_it(told) -> None:
    logger, _, stream = told
    logger.warning("from a stranger: %s", "x" * 1_000_000)
    logger.warning("%d numbers", "no")
    first, second = lines(stream)
    assert first.endswith("(1000017 letters)")
    assert len(first) < 1100
    assert second == "%d numbers"


def test_a_traceback_is_told_once_like_any_other_line(told) -> None:
    logger, _, stream = told
    for _ in range(100):
        try:
            int("wrong")
        except ValueError:
            logger.exception("tripped")
    assert len([line for line in lines(stream) if line.startswith("Traceback")]) == 1
