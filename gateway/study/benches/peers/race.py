"""EMHASS through the days of a case: it says powers, the battery does what it can, the meter is paid."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gateway.core.model.levels import Floats
from gateway.study.benches.peers.pipe import PeerProcess
from gateway.study.benches.peers.problem import Forecast, question
from gateway.study.replay.case import Case
from gateway.study.replay.slots import stored_after

Ask = Callable[[int, float], float]  # step of the record, stored energy (Wh) -> power for it (W, charging positive)
Tick = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """Powers of the storage in each counted step, and what each plan took."""

    powers_w: Floats
    plan_ms: Floats


def emhass(case: Case, peer: PeerProcess, forecast: Forecast, *, soc_final: float, tick: Tick) -> Drive:
    """EMHASS's naive-mpc at each step; PeerError when it has no plan. Its power holds for the whole step."""
    took_ms: list[float] = []

    def ask(step: int, energy_wh: float) -> float:
        soc = energy_wh / case.storage.capacity_wh
        answer = peer.ask(question(case, step, forecast, soc=soc, soc_final=soc_final, call="naive-mpc"))
        took_ms.append(answer["ms"])
        tick()
        return float(answer["battery_w"][0])

    return Drive(powers_w=driven(case, ask), plan_ms=np.array(took_ms))


def driven(case: Case, ask: Ask) -> Floats:
    """Powers of the storage when it is given powers, cut to what it can do."""
    energy_wh = case.start_wh
    powers = np.empty(case.steps)
    for k in range(case.steps):
        powers[k] = possible_w(case, energy_wh, ask(case.first + k, energy_wh))
        energy_wh = stored_after(case, energy_wh, float(powers[k]))
    return powers


def possible_w(case: Case, energy_wh: float, wanted_w: float) -> float:
    """The nearest power that the storage can hold for the step."""
    storage, hours = case.storage, case.hours
    room_w = (storage.capacity_wh - energy_wh) / (storage.charge_efficiency * hours)
    stored_w = energy_wh * storage.discharge_efficiency / hours
    return min(max(wanted_w, -storage.discharge_max_w, -stored_w), storage.charge_max_w, room_w)
