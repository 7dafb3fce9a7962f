"""A new release proves itself: five minutes with the broker up and every bus polled, or back to the old one."""

import asyncio
import json
import os

from micropython import const
from node.wait import call

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Beat, Fit, Memory
    from node.app import App

_PROOF_S = const(300)
_GIVE_UP_S = const(280)  # without it: back within five minutes of the restart
_PATIENT_MS = const(90000)  # deadline of a check-in
_LONGEST = const(6)  # times the proof: a link that comes and goes proves nothing


async def prove(app: "App", beat: "Beat") -> None:
    """The job of an app on trial: the run ends when the release does not prove itself."""
    deaf = json.loads(app.memory.text("silent") or "[]")  # buses that were silent under the old release

    def fit() -> bool | str:
        if not app.link.up():
            return "broker"
        if app.plant.silent().difference(deaf):
            return "bus"
        return not app.supervisor.restarts or "restart"

    why = await Trial(app.memory, app.memory.here).run(beat, fit)
    if why:
        app.supervisor.end(why)
    else:
        app.mode = "run"
        call("report", "tell", app)
        app.memory.put("test", 0)
        app.supervisor.start("test", call, _PATIENT_MS, what=("selftest", "once", app))


class Trial:
    def __init__(self, memory: "Memory", slot: str) -> None:
        self.memory = memory
        self.slot = slot

    async def run(self, beat: "Beat", fit: "Fit") -> str:
        """ "" when confirmed, else why not: then the node must restart, which brings the old release back.

        `fit()` is True while all is well, else a word for what is missing.
        """
        good = bad = 0
        for _ in range(_PROOF_S * _LONGEST):
            await asyncio.sleep_ms(1000)
            beat()
            why = fit()
            good, bad = (good + 1, 0) if why is True else (0, bad + 1)
            if good >= _PROOF_S:
                self._confirm()
                return ""
            if bad >= _GIVE_UP_S:
                break
        why = "trial: %s" % (why or "not fit")
        try:  # it is not to be found again when the old one fails one day
            os.rename(self.slot + "/manifest.json", self.slot + "/manifest.bad")
        except OSError:
            pass
        self.memory.write("why", why)
        self.memory.put("trial", 0)
        return why

    def _confirm(self) -> None:
        """First the interpreter, then the slot: whatever is cut, one that can be loaded is found at boot."""
        try:
            from node.hal_image import keep

            keep()
        except (ImportError, OSError):
            pass  # no second partition
        self.memory.put("slot", " ab".find(self.slot))
        self.memory.put("trial", 0)
