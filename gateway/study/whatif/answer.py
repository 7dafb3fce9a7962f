"""What a storage would have brought: a record lived again by the plain rule, by the gateway, and perfectly."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from gateway.core.model.levels import Floats, Storage, plain
from gateway.study.whatif.account import Account, score, total
from gateway.study.whatif.following import follow_all
from gateway.study.whatif.foresight import perfect_levels
from gateway.study.whatif.planned import on_slots, planned_levels
from gateway.study.whatif.study_inputs import StudyInputs

CHUNK = 64  # plans in one piece of work

Tick = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRun:
    """One way through the record."""

    # One account for each month.
    months: list[Account]
    # Mean power of the storage in each slot (W, charging positive).
    power_w: Floats
    # Stored energy at the end of each slot (Wh).
    energy_wh: Floats
    # Levels of each slot (slots x 4, Wh), or one row where they never change.
    levels_wh: Floats

    @property
    def all(self) -> Account:
        """The whole time."""
        return total(self.months)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One storage and its ways through the record; costs are less what is stored in the end."""

    storage: Storage
    # By name: none, rule, zen, perfect.
    ways: dict[str, RecordRun]
    # Value of what is stored in the end (EUR/kWh).
    end_price: float
    # The same as the goals weigh it.
    weighed_end_price: float

    def cost_eur(self, way: str) -> float:
        """The bill, less the value of what is stored in the end."""
        account = self.ways[way].all
        return account.cost_eur - self.end_price * account.stored_kwh

    def gain_eur(self, way: str) -> float:
        """What the storage brought against none."""
        return self.cost_eur("none") - self.cost_eur(way)

    def weighed_eur(self, way: str) -> float:
        """What was planned for, less the value of what is stored in the end; the bill, where that is the only goal."""
        account = self.ways[way].all
        return account.goal_eur - self.weighed_end_price * account.stored_kwh

    def score(self, way: str) -> float | None:
        """S of the whole time, by the goals."""
        return score(*(self.weighed_eur(each) for each in ("none", way, "perfect")))

    def month_score(self, way: str, month: int) -> float | None:
        """S of one month."""
        return score(*(self.ways[each].months[month].goal_eur for each in ("none", way, "perfect")))


def answer(inputs: StudyInputs, *, workers: int = 1, tick: Tick = lambda _share: None) -> list[Size]:
    """All sizes; `tick` hears which share of the work (0…1) is done. `workers` processes share it."""
    series = inputs.plan_series()
    moments = series.moments
    chunks = [moments[i : i + CHUNK] for i in range(0, len(moments), CHUNK)]
    works: list[tuple[Any, ...]] = [(_perfect, inputs, storage) for storage in inputs.storages]
    works += [(planned_levels, series, chunk) for chunk in chunks]
    results: list[Any] = [None] * len(works)
    for done, (place, result) in enumerate(_done(works, workers), start=1):
        results[place] = result
        tick(done / len(works))
    count = len(inputs.storages)
    levels = np.concatenate(results[count:], axis=1) if inputs.storages else np.zeros((0, 0, 4))
    return [_size(inputs, storage, levels[i], results[i]) for i, storage in enumerate(inputs.storages)]


def _done(works: Sequence[tuple[Any, ...]], workers: int) -> Iterator[tuple[int, Any]]:
    """Places and results of works, as they end."""
    if workers < 2:
        yield from ((place, work(*given)) for place, (work, *given) in enumerate(works))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        places: dict[Future[Any], int] = {pool.submit(*work): place for place, work in enumerate(works)}
        for future in as_completed(places):
            yield places[future], future.result()


def none(inputs: StudyInputs) -> RecordRun:
    """The building without a storage."""
    idle = np.zeros(inputs.steps)
    accounts = inputs.meters().accounts(None, idle, idle, 0.0)
    slots = np.zeros(inputs.steps // inputs.each)
    return RecordRun(months=accounts, power_w=slots, energy_wh=slots, levels_wh=np.zeros((1, 4)))


def _size(inputs: StudyInputs, storage: Storage, levels_wh: Floats, perfect: RecordRun) -> Size:
    rule = plain(storage)
    rule_wh = np.array([[rule.charge_wh, rule.reserve_wh, rule.fill_wh, rule.export_wh]])
    ways = {
        "none": none(inputs),
        "rule": _run(inputs, storage, rule_wh),
        "zen": _run(inputs, storage, levels_wh),
        "perfect": perfect,
    }
    return Size(storage=storage, ways=ways, end_price=inputs.end_price, weighed_end_price=inputs.weighed_end_price)


def _perfect(inputs: StudyInputs, storage: Storage) -> RecordRun:
    buy, sell = (prices[inputs.counted] for prices in inputs.weighed_prices())
    end_price = inputs.weighed_end_price
    levels = perfect_levels(storage, inputs.meters().net_w, buy, sell, hours=inputs.hours, end_price=end_price)
    return _run(inputs, storage, levels)


def _run(inputs: StudyInputs, storage: Storage, levels_wh: Floats) -> RecordRun:
    meters = inputs.meters()
    power_w, energy_wh = follow_all(storage, levels_wh, meters.net_w, start_wh=0.0, hours=inputs.hours)
    return RecordRun(
        months=meters.accounts(storage, power_w, energy_wh, 0.0),
        power_w=on_slots(power_w, inputs.each),
        energy_wh=energy_wh[inputs.each - 1 :: inputs.each],
        levels_wh=levels_wh if len(levels_wh) == inputs.steps // inputs.each else levels_wh[:1],
    )
