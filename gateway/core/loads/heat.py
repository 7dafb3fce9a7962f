"""What holds heat: a tank of hot water, and a building with its heat pump."""

import math
from dataclasses import dataclass, field

import numpy as np

from gateway.core.loads.needs import Band, Store
from gateway.core.loads.request import Outlook, Wanted, finite, turns_of
from gateway.core.model.levels import Floats
from gateway.core.model.switched import Switched

WATER_WH_PER_LK = 1.163  # heat of a litre of water and a kelvin
TOLERANCE_K = 0.25  # nobody feels less
HYGIENE_C = 60.0  # once in a while against legionella


@dataclass(frozen=True, slots=True, kw_only=True)
class Tank:
    """Stirred water of `litres` between `low_c` (useful) and `high_c`; loses `loss_w_per_k` to `ambient_c`.

    `cop`: heat for each unit of electricity, 1 for a heating element. `hygiene_c` must be reached when it is due.
    """

    id: str
    litres: float
    band: Band
    low_c: float = 45.0
    high_c: float = 60.0
    hygiene_c: float = HYGIENE_C
    ambient_c: float = 18.0
    loss_w_per_k: float = 1.5
    cop: float = 1.0
    run_s: float = 0.0
    rest_s: float = 0.0
    start_eur: float = 0.005
    short_price: float = 2.0

    def __post_init__(self) -> None:
        """Raises ValueError where no heat could be held."""
        finite(self, self.litres, self.low_c, self.high_c, self.hygiene_c, self.ambient_c, self.loss_w_per_k, self.cop)
        if not (self.litres > 0.0 and self.cop > 0.0 and self.loss_w_per_k >= 0.0 and self.short_price >= 0.0):
            raise ValueError(f"a tank has water, a heater and losses: {self}")
        if not self.ambient_c < self.low_c < self.high_c <= max(self.high_c, self.hygiene_c) < 100.0:
            raise ValueError(f"ambient < low < high, below 100 °C: {self}")

    @property
    def wh_per_k(self) -> float:
        """Heat that warms all of it by a kelvin."""
        return self.litres * WATER_WH_PER_LK


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TankState:
    """Mean temperature now, heat drawn off in each step (Wh), when the hygiene heating is due (UTC)."""

    temp_c: float
    draw_wh: Floats
    hygiene_due_s: float | None = None
    switched: Switched | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for what is no number."""
        finite(self, self.temp_c, float(self.draw_wh.sum()))


def tank_wanted(tank: Tank, state: TankState, outlook: Outlook) -> Wanted:
    """The tank as a store of heat above `low_c`."""
    steps, hours = outlook.grid.steps, outlook.hours
    keep, inside = _kept(tank.loss_w_per_k, tank.wh_per_k, hours)
    standing = tank.wh_per_k * (tank.low_c - tank.ambient_c) * (1.0 - keep)
    draw = np.zeros(steps)
    draw[: min(steps, len(state.draw_wh))] = np.maximum(state.draw_wh[:steps], 0.0)
    ceiling = np.full(steps, tank.wh_per_k * (tank.high_c - tank.low_c))
    floor, price = np.zeros(steps), np.full(steps, tank.short_price)
    hygiene = _hygiene_step(tank, state, outlook)
    if hygiene is not None:
        wanted = tank.wh_per_k * (tank.hygiene_c - tank.low_c)
        first = max(hygiene - _steps_to_heat(tank, outlook), 0)
        ceiling[first : hygiene + 1] = np.maximum(ceiling[first : hygiene + 1], wanted)
        floor[hygiene] = wanted
    return Wanted(
        id=tank.id,
        special=None if hygiene is None else "load_hygiene",
        due_s=state.hygiene_due_s if hygiene is not None else None,
        wanted_wh=float(draw.sum()),
        need=Store(
            id=tank.id,
            hours=hours,
            start_wh=tank.wh_per_k * (state.temp_c - tank.low_c),
            bands=(tank.band,),
            free=np.ones(steps, dtype=np.bool_),
            gain=np.full(steps, tank.cop * inside),
            drain_wh=draw + standing,
            floor_wh=floor,
            short_price=price,
            ceiling_wh=ceiling,
            keep=keep,
            end_price=float(outlook.price.min()) / tank.cop,
            turns=turns_of(state.switched, outlook, run_s=tank.run_s, rest_s=tank.rest_s, start_eur=tank.start_eur),
            tolerance_wh=TOLERANCE_K * tank.wh_per_k,
        ),
    )


def _kept(loss_w_per_k: float, wh_per_k: float, hours: float) -> tuple[float, float]:
    """The shares that are left at the end of a step: of what was there before, of heat given evenly through it."""
    lost = loss_w_per_k * hours / wh_per_k
    return math.exp(-lost), -math.expm1(-lost) / lost if lost > 0.0 else 1.0


def _steps_to_heat(tank: Tank, outlook: Outlook) -> int:
    """Steps of full power from the useful temperature to that of hygiene."""
    return math.ceil(tank.wh_per_k * (tank.hygiene_c - tank.low_c) / (tank.band.high_w * tank.cop * outlook.hours)) + 1


def _hygiene_step(tank: Tank, state: TankState, outlook: Outlook) -> int | None:
    """The end of the cheapest time in which it can be heated through before it is due; at once when it is overdue."""
    if state.hygiene_due_s is None or state.hygiene_due_s > outlook.grid.end_s:
        return None
    long = _steps_to_heat(tank, outlook)
    last = min(max(outlook.step_of(state.hygiene_due_s) - 1, long - 1), outlook.grid.steps - 1)
    if last < long:
        return last
    sums = np.convolve(outlook.price[: last + 1], np.ones(long), mode="valid")
    return int(np.argmin(np.round(sums, 9))) + long - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPump:
    """A building of one heat capacity (Wh/K) and loss (W/K), heated in `bands` of electrical power.

    Heat for each unit of electricity: `cop` at 7 °C outside, `cop_per_k` more for each kelvin above, never below 1.
    Comfort is from `low_c` to `high_c`; below it each kelvin and hour costs `discomfort_eur`.
    """

    id: str
    bands: tuple[Band, ...]
    wh_per_k: float
    loss_w_per_k: float
    low_c: float = 19.5
    high_c: float = 22.0
    cop: float = 3.5
    cop_per_k: float = 0.08
    run_s: float = 1800.0
    rest_s: float = 900.0
    start_eur: float = 0.02
    discomfort_eur: float = 0.5

    def __post_init__(self) -> None:
        """Raises ValueError where no building could be heated."""
        finite(self, self.wh_per_k, self.loss_w_per_k, self.low_c, self.high_c, self.cop, self.cop_per_k)
        if not self.bands or min(self.wh_per_k, self.loss_w_per_k) <= 0.0 or self.cop < 1.0:
            raise ValueError(f"a heat pump has powers, a building and a COP of at least 1: {self}")
        if not self.low_c < self.high_c or self.discomfort_eur < 0.0:
            raise ValueError(f"comfort from low to high, at a price: {self}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeatPumpState:
    """Indoor temperature now; heat from sun, people and devices in each step (W), none where it is not known."""

    indoor_c: float
    gains_w: Floats = field(default_factory=lambda: np.zeros(0))
    switched: Switched | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for what is no number."""
        finite(self, self.indoor_c, float(self.gains_w.sum()))


def heat_pump_wanted(pump: HeatPump, state: HeatPumpState, outlook: Outlook) -> Wanted:
    """The building as a store of heat above `low_c`: C dT/dt = COP P + gains - loss (T - outdoor)."""
    steps, hours = outlook.grid.steps, outlook.hours
    keep, inside = _kept(pump.loss_w_per_k, pump.wh_per_k, hours)
    gains = np.zeros(steps)
    gains[: min(steps, len(state.gains_w))] = state.gains_w[:steps]
    cop = np.maximum(pump.cop + pump.cop_per_k * (outlook.outdoor_c - 7.0), 1.0)
    lost = pump.wh_per_k * (pump.low_c - outlook.outdoor_c) * (1.0 - keep)
    return Wanted(
        id=pump.id,
        need=Store(
            id=pump.id,
            hours=hours,
            start_wh=pump.wh_per_k * (state.indoor_c - pump.low_c),
            bands=pump.bands,
            free=np.ones(steps, dtype=np.bool_),
            gain=cop * inside,
            drain_wh=lost - gains * hours * inside,
            floor_wh=np.zeros(steps),
            short_price=np.full(steps, pump.discomfort_eur * hours * 1000.0 / pump.wh_per_k),
            ceiling_wh=np.full(steps, pump.wh_per_k * (pump.high_c - pump.low_c)),
            keep=keep,
            end_price=float(outlook.price.min() / cop.mean()),
            turns=turns_of(state.switched, outlook, run_s=pump.run_s, rest_s=pump.rest_s, start_eur=pump.start_eur),
            tolerance_wh=TOLERANCE_K * pump.wh_per_k,
        ),
    )


def sg_ready(power_w: float, bands: tuple[Band, ...]) -> int:
    """The SG-Ready state for a planned power: 2 (its own control), 3 (recommended) or 4 (forced, the second band)."""
    if power_w <= 0.0:
        return 2
    return 4 if len(bands) > 1 and power_w > bands[0].high_w else 3
