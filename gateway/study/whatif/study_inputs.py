"""The inputs of a study: which record, storages, prices and goals, and which days of it are counted."""

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

import numpy as np

from gateway.core.model.levels import Floats, Storage
from gateway.core.planning.method import Method
from gateway.core.pricing.called_days import CalledDays
from gateway.core.pricing.goals import Goals
from gateway.study.record.called_days import announced_until
from gateway.study.record.priced import weighed_on
from gateway.study.record.series import Record
from gateway.study.whatif.account import Meters
from gateway.study.whatif.planned import AssumedPrices, PlanSeries, on_slots

END_SHARE = 0.95  # of the least price, for what is stored in the end: as a plan values it
BILL = Goals()


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """What is paid while the type of a called day, such as its Tempo colour, is not announced yet."""

    buy: Floats  # EUR/kWh on the steps of the record and a day beyond
    zone: tzinfo  # whose clock the days go by
    rules: CalledDays


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyInputs:
    """What a study computes from. Storages are empty at the beginning."""

    # Load and PV, with gaps and with gaps filled.
    record: Record
    # The local clock, by which months are counted.
    zone: tzinfo
    # The first counted step of the record: a whole slot.
    first: int
    # How many steps are counted: whole slots.
    steps: int
    # Steps of a slot of plans.
    each: int
    # Slots between two plans.
    every: int
    # Price of imported energy (EUR/kWh) on the steps of the record and a day beyond.
    buy: Floats
    # The same for exported energy.
    sell: Floats
    # CO2 of imported energy (g/kWh) on the same steps; None where it is not given.
    co2: Floats | None
    # The sizes to be compared.
    storages: tuple[Storage, ...]
    # Parameters of forecast and planning.
    method: Method
    # What is planned for; the bill alone where nothing is said.
    goals: Goals = BILL
    # Only where days have colours.
    colours: Colours | None = None

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
    def end_s(self) -> float:
        """UTC of the end of the last."""
        return self.start_s + self.steps * self.record.filled.step_s

    @property
    def end_price(self) -> float:
        """EUR/kWh for what is stored in the end."""
        return END_SHARE * float(self.buy[self.counted].min())

    @property
    def weighed_end_price(self) -> float:
        """The same as the goals weigh it."""
        return END_SHARE * float(self.weighed_prices()[0][self.counted].min())

    @property
    def counted(self) -> slice:
        """The counted steps in the record."""
        return slice(self.first, self.first + self.steps)

    def weighed_prices(self) -> tuple[Floats, Floats]:
        """`buy` and `sell` as the goals weigh them: what is planned with."""
        return weighed_on(self.goals, self.buy, self.sell, self.co2)

    def slot_starts_s(self) -> Floats:
        """UTC beginnings of the counted slots."""
        return np.asarray(self.start_s + np.arange(self.steps // self.each) * self.slot_s, dtype=np.float64)

    def meters(self) -> Meters:
        """The counted steps."""
        moments = [datetime.fromtimestamp(start, self.zone) for start in self.slot_starts_s().tolist()]
        months = np.array([moment.year * 12 + moment.month for moment in moments])
        counted, filled = self.counted, self.record.filled
        buy, sell = self.weighed_prices()
        return Meters(
            hours=self.hours,
            load_w=filled.load_w[counted],
            pv_w=filled.pv_w[counted],
            buy=self.buy[counted],
            sell=self.sell[counted],
            months=np.repeat(months - months[0], self.each),
            co2=None if self.co2 is None else self.co2[counted],
            weighed=None if self.goals == BILL else (buy[counted], sell[counted]),
        )

    def month_names(self) -> list[str]:
        """`2024-03` and so on, as the accounts are in order."""
        first, last = (datetime.fromtimestamp(moment, self.zone) for moment in self.slot_starts_s()[[0, -1]].tolist())
        numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
        return [f"{number // 12}-{number % 12 + 1:02d}" for number in numbers]

    def plan_series(self) -> PlanSeries:
        """The same on slots, for plans."""
        known = self.record.known
        buy, sell = self.weighed_prices()
        slots = replace(
            known,
            step_s=self.slot_s,
            load_w=on_slots(known.load_w, self.each),
            pv_w=on_slots(known.pv_w, self.each),
        )
        return PlanSeries(
            known=slots,
            buy=on_slots(buy, self.each),
            sell=on_slots(sell, self.each),
            assumed=self._assumed(),
            first=self.first // self.each,
            slots=self.steps // self.each,
            every=self.every,
            storages=self.storages,
            zone=self.zone,
            method=self.method,
        )

    def _assumed(self) -> AssumedPrices | None:
        if self.colours is None:
            return None
        buy, _ = weighed_on(self.goals, self.colours.buy, self.sell, self.co2)
        until_s = np.array(
            [
                announced_until(self.colours.rules, start_s, self.colours.zone)
                for start_s in self.slot_starts_s().tolist()
            ]
        )
        slots = np.floor((until_s - self.record.known.start_s) / self.slot_s).astype(np.intp)
        return AssumedPrices(buy=on_slots(buy, self.each), known_until=slots)
