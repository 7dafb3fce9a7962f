"""What a storage would have brought: a record lived again by the plain rule, by the gateway, and perfectly."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from multiprocessing import get_context
from typing import Any

import numpy as np

from gateway.core.levels import Floats, Storage, plain
from gateway.core.method import Method
from gateway.study.record.series import Record
from gateway.study.whatif.account import Account, Meters, score, total
from gateway.study.whatif.following import follow_all
from gateway.study.whatif.foresight import perfect_levels
from gateway.study.whatif.planned import Ground, on_slots, planned_levels

WAYS = ("none", "rule", "zen", "perfect")
CHUNK = 64  # plans in one piece of work
END_SHARE = 0.95  # of the least price, for what is stored in the end: as a plan values it

Tick = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The question. `buy`, `sell` and `co2` are on the steps of the record and a day beyond.

    Counted are `steps` steps from `first` on, both whole slots of `each` steps; a plan is made every `every` slots.
    Storages are empty at the beginning.
    """

    record: Record
    zone: tzinfo
    first: int
    steps: int
    each: int
    every: int
    buy: Floats
    sell: Floats
    co2: Floats | None
    storages: tuple[Storage, ...]
    method: Method

    @property
    def hours(self) -> float:
        """Length of a step."""
        return self.record.filled.step_s / 3600.0

    @property
    def slot_s(self) -> float:
        """Length of a slot of plans."""
        return self.record.filled.step_s * self.each

    @property
    def start_s(self) -> float:
        """UTC of the first counted step."""
        return self.record.filled.start_s + self.first * self.record.filled.step_s

    @property
    def end_price(self) -> float:
        """EUR/kWh for what is stored in the end."""
        return END_SHARE * float(self.buy[self._counted].min())

    @property
    def _counted(self) -> slice:
        return slice(self.first, self.first + self.steps)

    def slot_starts_s(self) -> Floats:
        """UTC beginnings of the counted slots."""
        return np.asarray(self.start_s + np.arange(self.steps // self.each) * self.slot_s, dtype=np.float64)

    def meters(self) -> Meters:
        """The counted steps."""
        moments = [datetime.fromtimestamp(start, self.zone) for start in self.slot_starts_s().tolist()]
        months = np.array([moment.year * 12 + moment.month for moment in moments])
        counted, filled = self._counted, self.record.filled
        return Meters(
            hours=self.hours,
            load_w=filled.load_w[counted],
            pv_w=filled.pv_w[counted],
            buy=self.buy[counted],
            sell=self.sell[counted],
            months=np.repeat(months - months[0], self.each),
            co2=None if self.co2 is None else self.co2[counted],
        )

    def month_names(self) -> list[str]:
        """`2024-03` and so on, as the accounts are in order."""
        first, last = (datetime.fromtimestamp(moment, self.zone) for moment in self.slot_starts_s()[[0, -1]].tolist())
        numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
        return [f"{number // 12}-{number % 12 + 1:02d}" for number in numbers]

    def ground(self) -> Ground:
        """The same on slots, for plans."""
        known = self.record.known
        slots = replace(
            known,
            step_s=self.slot_s,
            load_w=on_slots(known.load_w, self.each),
            pv_w=on_slots(known.pv_w, self.each),
        )
        return Ground(
            known=slots,
            buy=on_slots(self.buy, self.each),
            sell=on_slots(self.sell, self.each),
            first=self.first // self.each,
            slots=self.steps // self.each,
            every=self.every,
            storages=self.storages,
            zone=self.zone,
            method=self.method,
        )


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
    """One storage and its ways; costs less what is stored in the end."""

    storage: Storage
    ways: dict[str, Lived]
    end_price: float

    def cost_eur(self, way: str) -> float:
        """The bill, less the worth of what is stored in the end."""
        account = self.ways[way].all
        return account.cost_eur - self.end_price * account.stored_kwh

    def gain_eur(self, way: str) -> float:
        """What the storage brought against none."""
        return self.cost_eur("none") - self.cost_eur(way)

    def score(self, way: str) -> float | None:
        """S of the whole time."""
        return score(*(self.cost_eur(each) for each in ("none", way, "perfect")))

    def month_score(self, way: str, month: int) -> float | None:
        """S of one month."""
        return score(*(self.ways[each].months[month].cost_eur for each in ("none", way, "perfect")))


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
    return Size(storage=storage, ways=ways, end_price=asked.end_price)


def _perfect(asked: WhatIf, storage: Storage) -> Lived:
    meters = asked.meters()
    levels = perfect_levels(
        storage, meters.net_w, meters.buy, meters.sell, hours=asked.hours, end_price=asked.end_price
    )
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
