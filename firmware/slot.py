"""Which of the two application slots runs, and how: decided at boot, before anything of the application is loaded.

Depends on nothing else and is never updated over the air. What it remembers is in NVS (`memory`): `slot` the confirmed
one (1: a, 2: b), `trial` the one that is to prove itself (0: none) and `tries`, the boots it has left for that, `short`
the boots in a row that ended within two minutes, `mode` what the next boot is asked for (1: safe, 2: setup), `test` 1:
the node is to test itself, 2: its last self-test found something, `why` the reason of the last restart or change of slot.
"""

import os
import sys
import time

from memory import memory

RESET = 75  # exit code of a computer's process in the place of a reset: whoever watches over it starts it again


def decide(there: list[int], slot: int, trial: int, tries: int, short: int, mode: int) -> tuple[int, int, int]:
    """(slot to run, trial that goes on, mode) when only the slots in the list `there` can be run; numbers as in NVS."""
    if tries < 1 or trial not in there:
        trial = 0
    run = trial or slot
    if run not in there:
        run = there[0] if there else 0
    if short > 2 and not trial:
        mode = mode or 1
    return run, trial, mode


def begin() -> tuple:
    """Counts this boot and puts its slot in front of the path; gives (memory with the slot as `here`, mode)."""
    there = []
    for number in (1, 2):
        try:
            os.stat(" ab"[number] + "/manifest.json")  # written when all the rest was there
            there.append(number)
        except OSError:
            pass
    kept = memory()
    slot, was, tries, short, mode = map(kept.get, ("slot", "trial", "tries", "short", "mode"))
    number, trial, mode = decide(there, slot, was, tries, short, mode)
    kept.put("tries", tries - 1 if trial else 0)
    kept.put("short", min(short + 1, 3))
    kept.put("mode", 0)
    if was and not trial and was != slot:
        kept.write("why", "trial: restart")
        try:  # it is not to be found again when the old one fails one day
            os.rename(" ab"[was] + "/manifest.json", " ab"[was] + "/manifest.bad")
        except OSError:
            pass
    kept.put("trial", trial)
    if number:
        kept.here = " ab"[number]
        sys.path.insert(0, kept.here)
    return kept, ("run", "safe", "setup")[mode]


def failed(kept: "memory", error: Exception) -> None:
    """This slot cannot be loaded: the other one's turn."""
    why = "%s: %r" % (kept.here, error)
    print(why)  # noqa: T201  nothing else is there to say it
    kept.write("why", why)
    kept.put("slot", 2 if kept.here == "a" else 1)
    kept.put("trial", 0)
    time.sleep(5)  # Ctrl-C reaches the prompt
    try:
        from machine import reset
    except ImportError:
        sys.exit(RESET)  # a computer
    reset()
