"""What an installer reads of a self-test."""

import pytest
from rich.console import Console

from gateway.cli.node import screen

TABLE = {
    "buses": [{"kind": "tcp", "host": "10.0.0.7", "port": 502}],
    "units": [{"bus": 0, "id": 1}],
    "blocks": [{"u": 0, "fc": 3, "a": 0, "n": 2}],
}


@pytest.mark.parametrize(("text", "words"), [("5", "does not match"), ("05", "lenient = true"), ("1", "no answer")])
def test_a_unit_that_fails_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, text: str, words: str) -> None:
    """A 0 in front of the flag: the header of its answers did not fit (`firmware/node/selftest.py`)."""
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    console = Console(width=400)
    with console.capture() as captured:
        console.print(screen.test_table([{"step": "unit", "n": 0, "ok": False, "text": text}], TABLE))
    assert words in captured.get()
