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
from gateway.study.whatif.question import WhatIf

WAYS = ("none", "rule", "zen", "perfect")
CHUNK = 64  # plans in one piece of work

Tick = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """One way through the record: accounts by month, and for pictures what each slot was like (means)."""

    months: list[Account]
    power_w: Floats
    energy_wh: Floats
    levels_wh: Floats

    @property
    def all(self) -> Account:
        """The whole time."""
        return total(self.months)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One storage and its ways; costs less what is stored in the end, which the goals weigh in their own way."""

    storage: Storage
    ways: dict[str, Lived]
    end_price: float
    weighed_end_price: float

    def cost_eur(self, way: str) -> float:
        """The bill, less the worth of what is stored in the end."""
        account = self.ways[way].all
        return account.cost_eur - self.end_price * account.stored_kwh

    def gain_eur(self, way: str) -> float:
        """What the storage brought against none."""
        return self.cost_eur("none") - self.cost_eur(way)

    def weighed_eur(self, way: str) -> float:
        """What was planned for, less the worth of what is stored in the end; the bill, where that is the only goal."""
        account = self.ways[way].all
        return account.goal_eur - self.weighed_end_price * account.stored_kwh

    def score(self, way: str) -> float | None:
        """S of the whole time, by the goals."""
        return score(*(self.weighed_eur(each) for each in ("none", way, "perfect")))

    def month_score(self, way: str, month: int) -> float | None:
        """S of one month."""
        return score(*(self.ways[each].months[month].goal_eur for each in ("none", way, "perfect")))


def answer(asked: WhatIf, *, workers: int = 1, tick: Tick = lambda _share: None) -> list[Size]:
    """All sizes; `tick` hears which share of the work (0…1) is done. `workers` processes share it."""
    ground = asked.ground()
    moments = ground.moments
    chunks = [moments[i : i + CHUNK] for i in range(0, len(moments), CHUNK)]
    works: list[tuple[Any, ...]] = [(_perfect, asked, storage) for storage in asked.storages]
    works += [(planned_levels, ground, chunk) for chunk in chunks]
    results: list[Any] = [None] * len(works)
    for done, (place, result) in enumerate(_done(works, workers), start=1):
        results[place] = result
        tick(done / len(works))
    count = len(asked.storages)
    levels = np.concatenate(results[count:], axis=1) if asked.storages else np.zeros((0, 0, 4))
    return [_size(asked, storage, levels[i], results[i]) for i, storage in enumerate(asked.storages)]


def _done(works: Sequence[tuple[Any, ...]], workers: int) -> Iterator[tuple[int, Any]]:
    """Places and results of works, as they end."""
    if workers < 2:
        yield from ((place, work(*given)) for place, (work, *given) in enumerate(works))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        places: dict[Future[Any], int] = {pool.submit(*work): place for place, work in enumerate(works)}
        for future in as_completed(places):
            yield places[future], future.result()


def none(asked: WhatIf) -> Lived:
    """The building without a storage."""
    idle = np.zeros(asked.steps)
    accounts = asked.meters().accounts(None, idle, idle, 0.0)
    slots = np.zeros(asked.steps // asked.each)
    return Lived(months=accounts, power_w=slots, energy_wh=slots, levels_wh=np.zeros((1, 4)))


def _size(asked: WhatIf, storage: Storage, levels_wh: Floats, perfect: Lived) -> Size:
    rule = plain(storage)
    rule_wh = np.array([[rule.charge_wh, rule.reserve_wh, rule.fill_wh, rule.export_wh]])
    ways = {
        "none": none(asked),
        "rule": _lived(asked, storage, rule_wh),
        "zen": _lived(asked, storage, levels_wh),
        "perfect": perfect,
    }
    return Size(storage=storage, ways=ways, end_price=asked.end_price, weighed_end_price=asked.weighed_end_price)


def _perfect(asked: WhatIf, storage: Storage) -> Lived:
    buy, sell = (prices[asked.counted] for prices in asked.weighed_prices())
    end_price = asked.weighed_end_price
    levels = perfect_levels(storage, asked.meters().net_w, buy, sell, hours=asked.hours, end_price=end_price)
    return _lived(asked, storage, levels)


def _lived(asked: WhatIf, storage: Storage, levels_wh: Floats) -> Lived:
    meters = asked.meters()
    power_w, energy_wh = follow_all(storage, levels_wh, meters.net_w, start_wh=0.0, hours=asked.hours)
    return Lived(
        months=meters.accounts(storage, power_w, energy_wh, 0.0),
        power_w=on_slots(power_w, asked.each),
        energy_wh=energy_wh[asked.each - 1 :: asked.each],
        levels_wh=levels_wh if len(levels_wh) == asked.steps // asked.each else levels_wh[:1],
    )
