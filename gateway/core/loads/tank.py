"""A tank of hot water: heat for its draws, heated through once in a while against legionella."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Annotated, ClassVar

import numpy as np

from gateway.core.loads import memory
from gateway.core.loads.clock import DAY_S, next_clock
from gateway.core.loads.heat import FRESH_S, TOLERANCE_K, kept_shares
from gateway.core.loads.kind import LoadMoment, LoadWithState
from gateway.core.loads.needs import EnergyStore
from gateway.core.loads.plain_rule import MUST_VALUE, surplus_only
from gateway.core.loads.request import LoadRequest, Outlook, finite, switching_of
from gateway.core.loads.run_state import RUNS_W, switched_after
from gateway.core.loads.settings import (
    Celsius,
    Clock,
    CommonSettings,
    EnergyKwh,
    FieldBounds,
    Misfit,
    PowerOrZeroW,
    PowerW,
    Seconds,
    no_charger,
)
from gateway.core.model.levels import Floats
from gateway.core.model.load import Band, Comfort
from gateway.core.model.plan import LoadPurpose, LoadSlot
from gateway.core.model.state import Reason
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid

WATER_WH_PER_LK = 1.163  # heat of a litre of water and a kelvin
HYGIENE_C = 60.0  # once in a while against legionella
HOT_K = 0.5  # below the temperature against legionella that still counts
AMBIENT_C = 18.0  # around a tank
COLD_K = 2.0  # so much below its useful temperature water is heated without a plan, until it is there
RESUME_K = 2.0  # below its highest temperature a tank takes again

Litres = Annotated[float, FieldBounds(above=0, most=100_000, unit="l")]
Days = Annotated[int, FieldBounds(least=0, most=60, unit="d")]
LossWPerK = Annotated[float, FieldBounds(least=0, most=1000, unit="W/K")]
Cop = Annotated[float, FieldBounds(above=0, most=10)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TankSettings(CommonSettings):
    """A hot-water tank with a heater of `power_w` that can be set from `least_w` on; without `least_w` it is on or off.

    `draws` are the kWh of heat taken by the local clock: `"07:00" = 1.5`. `hygiene_days`: it is heated to `hygiene_c`
    at least once in so many days; 0: never.
    """

    kind: ClassVar[str] = "tank"
    needed_points: ClassVar[tuple[str, ...]] = ("p_w", "temp_c")
    own_reasons: ClassVar[tuple[str, ...]] = ("load_hygiene", "load_heats")

    litres: Litres  # of water that is heated
    power_w: PowerW  # electrical, the most of the heater
    least_w: PowerOrZeroW | None = None  # electrical, the least while it heats; None: a relay, all or nothing
    low_c: Celsius = 45.0  # useful from here on
    high_c: Celsius = 60.0  # full
    hygiene_c: Celsius = 60.0  # must be reached against legionella
    hygiene_days: Days = 7  # at least once in so many; 0 for never
    loss_w_per_k: LossWPerK = 1.5  # heat lost to the room
    cop: Cop = 1.0  # heat for each unit of electricity, 1 for a heating element
    draws: Mapping[Clock, EnergyKwh] = field(default_factory=dict)  # heat drawn off, by the local clock, on each day
    run_s: Seconds = 0.0  # minimum up time
    rest_s: Seconds = 0.0  # minimum down time

    def __post_init__(self) -> None:
        """Raises ValueError for what does not fit together."""
        if not self.low_c < self.high_c:
            raise ValueError("low_c below high_c")
        if self.low_c <= AMBIENT_C:
            raise ValueError(f"low_c above {AMBIENT_C:g}, the temperature around the tank")
        if self.least_w is not None and self.least_w > self.power_w:
            raise ValueError("least_w at most power_w")

    def load(self, id_: str) -> "Tank":
        """The load that the settings describe."""
        return Tank(
            id=id_,
            litres=self.litres,
            band=Band(low_w=self.power_w if self.least_w is None else self.least_w, high_w=self.power_w),
            low_c=self.low_c,
            high_c=self.high_c,
            hygiene_c=self.hygiene_c,
            ambient_c=AMBIENT_C,
            loss_w_per_k=self.loss_w_per_k,
            cop=self.cop,
            minimum_up_s=self.run_s,
            minimum_down_s=self.rest_s,
        )

    def unseen(self, id_: str) -> "TankObservation":
        """The load before anything has been seen of it."""
        return TankObservation(id=id_, settings=self)

    def misfits(self, unit: str) -> Iterator[Misfit]:
        """What a product cannot do whose set-points are in this unit (W, A, share, switch)."""
        yield from no_charger(self.kind, unit)
        if unit == "switch" and self.least_w is not None and self.least_w != self.power_w:
            yield Misfit(key="least_w", found=f"{self.least_w:g}", allowed="nothing: a switch is on or off")


@dataclass(frozen=True, slots=True, kw_only=True)
class TankObservation:
    """What has been seen of a tank."""

    id: str  # the load's name in the site file
    settings: TankSettings  # what the user wrote of it
    hygiene_s: float | None = field(default=None, metadata=memory.moment(step_s=3600.0))
    """When it was last heated through (UTC); at first sight: then. What is hot all the time is kept once an hour."""
    event: ClassVar = None

    def observed(self, now: LoadMoment) -> "TankObservation":
        """When the water was last hot enough against legionella."""
        before, state = memory.not_ahead(self, now.state.utc_s), now.state
        temp_c = state.value(str(self.settings.device), "temp_c", max_age_s=FRESH_S)
        is_hot = temp_c is not None and temp_c >= self.settings.hygiene_c - HOT_K
        return replace(before, hygiene_s=state.utc_s) if is_hot or before.hygiene_s is None else before

    def flexible(self, now: LoadMoment, grid: TimeGrid) -> "LoadWithState[TankState] | None":
        """The tank, while its temperature is reported."""
        settings = self.settings
        temp_c = now.state.value(str(settings.device), "temp_c", max_age_s=FRESH_S)
        if temp_c is None:
            return None
        last_s = self.hygiene_s if self.hygiene_s is not None else grid.start_s
        state = TankState(
            temp_c=temp_c,
            draw_wh=draws_wh(settings.draws, grid, now.zone),
            hygiene_due_s=last_s + settings.hygiene_days * DAY_S if settings.hygiene_days else None,
            switched=now.switched,
        )
        return LoadWithState(load=settings.load(self.id), state=state)


def draws_wh(draws: Mapping[str, float], grid: TimeGrid, zone: tzinfo) -> Floats:
    """Heat drawn off in each step (Wh), from kWh by the local clock."""
    found = np.zeros(grid.steps)
    for clock, kwh in draws.items():
        at_s = next_clock(grid.start_s - 1.0, clock, zone)
        while at_s < grid.end_s:
            found[int((at_s - grid.start_s) // grid.step_s)] += 1000.0 * kwh
            at_s = next_clock(at_s, clock, zone)
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TankState:
    """How warm the water is, and what will be taken of it."""

    temp_c: float  # mean temperature now
    draw_wh: Floats  # heat drawn off in each step of the plan
    hygiene_due_s: float | None = None  # when it must have been heated through (UTC); None for never
    switched: Switched | None = None  # whether it is heated, and since when; None where nobody knows

    def __post_init__(self) -> None:
        """Raises ValueError for what is no number."""
        finite(self, self.temp_c, float(self.draw_wh.sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tank:
    """Stirred water between two temperatures, and its heater."""

    state_type: ClassVar = TankState
    presence_point: ClassVar = None

    id: str  # its name in the site file and in plans
    litres: float  # of water that is heated, above 0
    band: Band  # electrical power of the heater
    low_c: float = 45.0  # useful from here on
    high_c: float = 60.0  # full
    hygiene_c: float = HYGIENE_C  # must be reached when it is due
    ambient_c: float = AMBIENT_C  # of the room around it
    loss_w_per_k: float = 1.5  # to the ambient
    cop: float = 1.0  # heat for each unit of electricity, 1 for a heating element
    minimum_up_s: float = 0.0  # none for a heating element; a heat pump's compressor asks for one
    minimum_down_s: float = 0.0  # likewise
    start_eur: float = 0.005  # of a start: of equal plans the one with fewer
    short_price: float = 2.0  # of a kWh of heat that is missing (EUR/kWh)

    def __post_init__(self) -> None:
        """Raises ValueError where no heat could be held."""
        finite(self, self.litres, self.low_c, self.high_c, self.hygiene_c, self.ambient_c, self.loss_w_per_k, self.cop)
        if not (self.litres > 0.0 and self.cop > 0.0 and self.loss_w_per_k >= 0.0 and self.short_price >= 0.0):
            raise ValueError(f"a tank has water, a heater and losses: {self}")
        if not self.ambient_c < self.low_c < self.high_c <= max(self.high_c, self.hygiene_c) < 100.0:
            raise ValueError(f"ambient < low < high, below 100 °C: {self}")

    @property
    def bands(self) -> tuple[Band, ...]:
        """The powers that can be set."""
        return (self.band,)

    @property
    def comfort(self) -> Comfort:
        """Its temperatures."""
        return Comfort(
            low_c=self.low_c, high_c=self.high_c, hygiene_c=max(self.high_c, self.hygiene_c), resume_k=RESUME_K
        )

    @property
    def wh_per_k(self) -> float:
        """Heat that warms all of it by a kelvin."""
        return self.litres * WATER_WH_PER_LK

    def request(self, state: TankState, outlook: Outlook) -> LoadRequest:
        """The tank as a store of heat above `low_c`."""
        steps, hours = outlook.grid.steps, outlook.hours
        keep, inside = kept_shares(self.loss_w_per_k, self.wh_per_k, hours)
        standby = self.wh_per_k * (self.low_c - self.ambient_c) * (1.0 - keep)
        draw = np.zeros(steps)
        draw[: min(steps, len(state.draw_wh))] = np.maximum(state.draw_wh[:steps], 0.0)
        hygiene = self._hygiene_step(state, outlook)
        floor, ceiling = self._floor_and_ceiling(hygiene, outlook)
        return LoadRequest(
            id=self.id,
            special=None if hygiene is None else "load_hygiene",
            purpose=LoadPurpose.SERVICE if hygiene is None else LoadPurpose.HYGIENE,
            due_s=state.hygiene_due_s if hygiene is not None else None,
            requested_wh=float(draw.sum()),
            need=EnergyStore(
                id=self.id,
                hours=hours,
                start_wh=self.wh_per_k * (state.temp_c - self.low_c),
                bands=self.bands,
                free=np.ones(steps, dtype=np.bool_),
                gain=np.full(steps, self.cop * inside),
                drain_wh=draw + standby,
                floor_wh=floor,
                short_price=np.full(steps, self.short_price),
                ceiling_wh=ceiling,
                keep=keep,
                end_price=float(outlook.price.min()) / self.cop,
                switching=switching_of(
                    state.switched,
                    outlook,
                    minimum_up_s=self.minimum_up_s,
                    minimum_down_s=self.minimum_down_s,
                    start_eur=self.start_eur,
                ),
                tolerance_wh=TOLERANCE_K * self.wh_per_k,
            ),
        )

    def plain_slot(self, state: TankState, now_s: float) -> LoadSlot:
        """Surplus, and all it can take when the water is cold: not every heater does that by itself."""
        del now_s  # nothing of it hangs on the time
        runs = state.switched is not None and state.switched.runs
        missing_k = self.low_c - state.temp_c
        if missing_k <= (0.0 if runs else COLD_K):
            return surplus_only()
        numbers = {"power_w": self.band.high_w, "temp_c": state.temp_c, "low_c": self.low_c}
        return LoadSlot(power_w=self.band.high_w, value=MUST_VALUE, reason=Reason(code="load_heats", numbers=numbers))

    def carried(self, state: TankState, power_w: float, *, begin_s: float, end_s: float) -> TankState:
        """Since when it is heated; its temperature is measured."""
        del end_s  # how long does not matter
        return replace(state, switched=switched_after(state.switched, begin_s, runs=power_w > RUNS_W))

    def _floor_and_ceiling(self, hygiene: int | None, outlook: Outlook) -> tuple[Floats, Floats]:
        """The least and the most it holds above `low_c` at the end of each step (Wh); `hygiene`: when it is hot."""
        steps = outlook.grid.steps
        floor, ceiling = np.zeros(steps), np.full(steps, self.wh_per_k * (self.high_c - self.low_c))
        if hygiene is not None:
            hot_wh = self.wh_per_k * (self.hygiene_c - self.low_c)
            first = max(hygiene - self._steps_to_heat(outlook), 0)
            ceiling[first : hygiene + 1] = np.maximum(ceiling[first : hygiene + 1], hot_wh)
            floor[hygiene] = hot_wh
        return floor, ceiling

    def _steps_to_heat(self, outlook: Outlook) -> int:
        """Steps of full power from the useful temperature to that of hygiene."""
        heat_wh = self.wh_per_k * (self.hygiene_c - self.low_c)
        return math.ceil(heat_wh / (self.band.high_w * self.cop * outlook.hours)) + 1

    def _hygiene_step(self, state: TankState, outlook: Outlook) -> int | None:
        """The end of the cheapest time in which it is heated through before it is due; at once when it is overdue."""
        if state.hygiene_due_s is None or state.hygiene_due_s > outlook.grid.end_s:
            return None
        long = self._steps_to_heat(outlook)
        last = min(max(outlook.step_of(state.hygiene_due_s) - 1, long - 1), outlook.grid.steps - 1)
        if last < long:
            return last
        sums = np.convolve(outlook.price[: last + 1], np.ones(long), mode="valid")
        return int(np.argmin(np.round(sums, 9))) + long - 1
