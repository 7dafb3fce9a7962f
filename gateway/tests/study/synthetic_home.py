"""A home made up from a seed, for what must run without recorded series. `python -m` prints the digest of one plan.

Half-hours, UTC. The load has a base, a morning, an evening and a few appliances; the sun a day's clearness that drifts.
Only the standard library's random numbers: their sequence for a seed does not change between versions.
"""

import hashlib
import math
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path
from random import Random

import numpy as np

from gateway.core.model.history import History
from gateway.core.model.plan import Plan
from gateway.core.planning.method import Method
from gateway.study.benches.homes import home_of
from gateway.study.record.series import Record
from gateway.study.replay.case import Case
from gateway.study.replay.zen import planned

DAYS = 40
STEPS = 48


def record(*, seed: int, first: date, day_h: float, kwp: float) -> Record:
    """40 days from `first`; `day_h` is how long the sun shines."""
    random = Random(seed)
    clearness, load, sun = 0.6, [], []
    for _ in range(DAYS):
        clearness = min(1.0, max(0.1, 0.5 * clearness + 0.5 * random.random() + random.gauss(0.0, 0.1)))
        load += _load(random)
        sun += [kwp * clearness * _height(step / 2.0, day_h) * random.uniform(0.8, 1.0) for step in range(STEPS)]
    start_s = datetime.combine(first, time(), tzinfo=UTC).timestamp()
    series = History(start_s=start_s, step_s=1800.0, load_w=np.array(load), pv_w=-np.array(sun))
    return Record(known=series, filled=series)


def summer(seed: int) -> Case:
    """Five days of long sun after 30 days to learn from."""
    made = record(seed=seed, first=date(2023, 6, 1), day_h=15.0, kwp=4000.0)
    return home_of(Path("summer"), made, start=date(2023, 7, 2), days=5, zone=UTC)


def winter(seed: int) -> Case:
    """Five days of short sun."""
    made = record(seed=seed, first=date(2023, 1, 1), day_h=9.0, kwp=4000.0)
    return home_of(Path("winter"), made, start=date(2023, 2, 1), days=5, zone=UTC)


def first_plan(case: Case) -> Plan:
    """The plan at noon of the first counted day, half full."""
    return planned(case, Method(), case.first + STEPS // 2, case.storage.capacity_wh / 2)


def _load(random: Random) -> list[float]:
    humps = [(7.5, 900.0, 1.0), (19.5, 1400.0, 1.8), (random.uniform(9.0, 16.0), random.uniform(0.0, 1500.0), 0.7)]
    return [
        random.uniform(180.0, 320.0)
        + sum(
            height * random.uniform(0.5, 1.3) * math.exp(-(((step / 2.0 - at) / wide) ** 2))
            for at, height, wide in humps
        )
        for step in range(STEPS)
    ]


def _height(hour: float, day_h: float) -> float:
    return max(0.0, math.cos((hour - 12.0) / day_h * math.pi)) if abs(hour - 12.0) < day_h / 2.0 else 0.0


if __name__ == "__main__":
    sys.stdout.write(hashlib.sha256(repr(first_plan(winter(1))).encode()).hexdigest())
