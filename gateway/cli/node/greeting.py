"""The first words with a board that was just flashed: who it is, what it can prove, the label that it needs."""

import time
from collections.abc import Mapping
from typing import Any

from gateway.cli.language import say
from gateway.cli.node.proof import prove, wait_ready
from gateway.cli.node.screen import info_table, not_ours, people, show_label
from gateway.commission.console import Console
from gateway.commission.faults import CommissionError
from gateway.commission.secrets import new_code
from gateway.release.build import Release

FIRST_START_S = 60.0  # a board that formats, joins and gives up
AGAIN_S = 0.5
BY_HAND_S = 120.0  # for somebody who is to press RESET


def greet(port: str, release: Release, *, by_hand: bool) -> bool:
    """Who the board is now, its self-test, and a label for one that has none; whether all of it is well."""
    console, info = _awaited(port, by_hand=by_hand)
    with console:
        people.print(info_table(info))
        if info.get("node"):
            wait_ready(console)
        works = prove(console, _read_back(info, release))
        if not info.get("label"):  # else its setup access point would never open
            code = new_code()
            console.ask("set", label=code)
            show_label(info["uid"], code)
            if not info.get("node"):
                console.ask("setup")
    if info.get("node"):
        people.print(say("node.flash.works" if works else "node.flash.not_proven", port=port), markup=False)
    else:
        people.print(say("node.flash.next" if works else "node.flash.spoiled", port=port), markup=False)
    return works


def _awaited(port: str, *, by_hand: bool) -> tuple[Console, Mapping[str, Any]]:
    """The console, open, and the board's `info`. A port that goes away when the board restarts may come back."""
    end = time.monotonic() + (BY_HAND_S if by_hand else FIRST_START_S)
    while True:
        console = None
        try:
            console = Console(port, log=_unread if by_hand else not_ours)
            return console, console.connect(max(0.0, end - time.monotonic()))
        except CommissionError as error:
            if console is not None:
                console.close()
            if error.word != "port" or time.monotonic() > end:
                raise
            time.sleep(AGAIN_S)


def _unread(_line: str) -> None:
    """What a prompt makes of our questions before RESET is pressed."""


def _read_back(info: Mapping[str, Any], release: Release) -> list[Mapping[str, Any]]:
    """Rows of the self-test: what runs on the board is what was written."""
    runs = f"{info['fw']}, build {info['build']}"
    return [
        {"step": "application", "n": 0, "ok": info["build"] == release.build, "text": runs},
        {"step": "interpreter", "n": 0, "ok": True, "text": info["python"]},
    ]
