"""What the node publishes about itself: its state when that changes, its health now and then. Loaded for each."""

import gc
import json

from micropython import const

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from node.app import App
    from node.bus import Unit
    from node.orders import Actuator


def tell(app: "App") -> None:
    """The retained state."""
    state = {
        "up": True, "boot": app.boot, "table": app.identity, "fw": app.version, "build": app.build,
        "mode": app.mode, "why": app.why,
    }  # fmt: skip
    app.link.announce(json.dumps(state))


def health(app: "App") -> dict:
    """For the topic `health`; wire/topics.py says what is what."""
    gc.collect()
    app.clock.tick()
    plant = app.plant
    return {
        "boot": app.boot,
        "uptime_s": app.clock.uptime_s,
        "heap_free": gc.mem_free(),
        "clock": app.clock.quality,
        "ring": app.ring.health(),
        "units": [unit(one) for one in plant.units],
        "actuators": [actuator(one) for one in plant.actuators],
        "orders": app.orders.counts,
        "restarts": app.supervisor.restarts,
        "heard": app.link.heard(),
        "cfg": app.refusal,
        "cfg_refused": app.refusals,
        "update": app.update and app.update.status(),
    }


def unit(one: "Unit") -> list[int]:
    """[ok, timeouts, bad, exceptions, median ms of the last 15 answers]"""
    return one.counts + [sorted(one.times)[-1 - (min(one.counts[0], 15) >> 1)]]


def actuator(one: "Actuator") -> list:
    """[requested, applied, read back, origin, why not]"""
    return [one.order[2], one.applied, one.back, one.by, one.why]
