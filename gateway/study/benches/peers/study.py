"""The whole comparison with peers: races through recorded days, and the time a plan takes."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from gateway.core.planning.method import Method
from gateway.study.benches.homes import home
from gateway.study.benches.peers import speed, speed_loads
from gateway.study.benches.peers.peer import EMHASS, SOLPH
from gateway.study.benches.peers.pipe import PeerProcess, started
from gateway.study.benches.peers.problem import Forecast, ours, plant, simple
from gateway.study.benches.peers.race import emhass
from gateway.study.replay.case import Case
from gateway.study.replay.outcome import Outcome, compare
from gateway.study.replay.slots import cost_eur

EMHASS_CALLS = ("dayahead", "naive-mpc")
SOC_FINALS = (0.5, 0.0)  # EMHASS must be given how full the battery is to be in the end
Tick = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pythons:
    """Interpreters of the peers' environments; None where one cannot be had."""

    emhass: Path | None
    solph: Path | None


def ticks(starts: Sequence[date], days: int, plans: int, pythons: Pythons) -> int:
    """How often `tick` is called."""
    races = 1 + (2 * len(SOC_FINALS) if pythons.emhass else 0)
    return len(starts) * days * 48 * races + plans


def window(path: Path, *, start: date, days: int, method: Method, python: Path | None, tick: Tick) -> dict[str, Any]:
    """One window: our four ways, and EMHASS with both forecasts. PeerError, InputError."""
    case = home(path, start=start, days=days)
    outcome = compare(case, method, tick=tick)
    result = {"start": start.isoformat(), "eur_per_day": outcome.eur_per_day, "S": dict(outcome.score)}
    result["plan_ms"] = {"zen": round(outcome.plan_ms, 2)}
    if python is not None:
        forecasts = {"simple": simple(case), "ours": ours(case, method)}
        for name, forecast in forecasts.items():
            for soc_final in SOC_FINALS:
                way = f"emhass_{name}_{soc_final:g}"
                _raced(result, way, case, outcome, python, forecast, soc_final, tick)
    return result


def _raced(
    result: dict[str, Any],
    way: str,
    case: Case,
    outcome: Outcome,
    python: Path,
    forecast: Forecast,
    soc_final: float,
    tick: Tick,
) -> None:
    with started(EMHASS, python, plant(case)) as peer:
        drive = emhass(case, peer, forecast, soc_final=soc_final, tick=tick)
    eur = cost_eur(case, drive.powers_w) / case.days
    possible = outcome.none - outcome.perfect
    result["eur_per_day"][way] = round(eur, 4)
    result["S"][way] = round((outcome.none - eur) / possible, 4) if possible > 1e-9 else None
    result["plan_ms"][way] = round(float(np.median(drive.plan_ms)), 2)


def times(
    path: Path, *, start: date, days: int, plans: int, method: Method, pythons: Pythons, tick: Tick
) -> dict[str, Any]:
    """Plans of 96 steps, everybody in turn."""
    case = home(path, start=start, days=days)
    problems = speed.days_of(case, method, plans)
    found = _timed(problems, method, pythons, tick)
    draw_ms = float(np.median([day.draw_ms for day in problems]))
    return {"steps": speed.STEPS, "forecast_ms": round(draw_ms, 2), "ways": speed.summary(found, "zen")}


def _timed(problems: Sequence[speed.Day], method: Method, pythons: Pythons, tick: Tick) -> dict[str, list[speed.Took]]:
    """Each way of EMHASS in a process of its own: one would warm-start the other with the same day."""
    battery = plant(problems[0].case)
    peers = [(f"emhass_{call}", EMHASS, pythons.emhass, call, battery) for call in EMHASS_CALLS]
    peers.append(("emhass_loads", EMHASS, pythons.emhass, "naive-mpc", battery | {"loads": speed_loads.AS_LOADS}))
    peers.append(("solph", SOLPH, pythons.solph, "", battery))
    ways: dict[str, speed.Way] = {
        "zen": speed.ours(method),
        "zen_loads": speed_loads.ours(method),
        "highs": speed.direct,
    }
    with ExitStack() as running:
        for name, peer, python, call, settings in peers:
            if python is not None:
                ways[name] = _peer(running.enter_context(started(peer, python, settings)), call)
        return speed.timed(problems, ways, tick)


def _peer(peer: PeerProcess, call: str) -> speed.Way:
    def way(day: speed.Day) -> speed.Took:
        answer = peer.ask(day.ask(call))
        return speed.Took(ms=answer["ms"], cpu_ms=answer["cpu_ms"])

    return way
