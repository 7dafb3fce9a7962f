"""A heat pump and the building it heats, between two temperatures of comfort."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np

from gateway.core.loads.heat import FRESH_S, TOLERANCE_K, kept_shares
from gateway.core.loads.kind import LoadMoment, LoadWithState
from gateway.core.loads.needs import EnergyStore
from gateway.core.loads.plain_rule import surplus_only
from gateway.core.loads.request import LoadRequest, Outlook, finite, switching_of
from gateway.core.loads.run_state import RUNS_W, switched_after
from gateway.core.loads.settings import (
    Celsius,
    CommonSettings,
    FieldBounds,
    Misfit,
    PowerW,
    PriceEur,
    Seconds,
    no_charger,
)
from gateway.core.model.load import Band, Comfort
from gateway.core.model.plan import LoadSlot
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid

RESUME_K = 0.5  # rooms: their comfort is a band of some 2 K, in which the thermostat keeps them

Powers = Annotated[tuple[PowerW, ...], FieldBounds(fewest=1, longest=2)]
HeatKwhPerK = Annotated[float, FieldBounds(above=0, most=10_000, unit="kWh/K")]
LossWPerK = Annotated[float, FieldBounds(above=0, most=100_000, unit="W/K")]
Cop = Annotated[float, FieldBounds(least=1, most=10)]
CopPerK = Annotated[float, FieldBounds(least=0, most=1, unit="1/K")]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPumpSettings(CommonSettings):
    """A heat pump and the building it heats. `powers_w`: in its own mode, and a second one where it can be forced.

    Comfort is from `low_c` to `high_c`; `kwh_per_k` and `loss_w_per_k` are the building's, measured or estimated.
    """

    kind: ClassVar[str] = "heat_pump"
    needed_points: ClassVar[tuple[str, ...]] = ("p_w", "temp_c")
    own_reasons: ClassVar[tuple[str, ...]] = ()

    powers_w: Powers  # electrical, rising: running its own way, and forced
    kwh_per_k: HeatKwhPerK  # heat capacity of the building
    loss_w_per_k: LossWPerK  # heat lost to the outdoors
    low_c: Celsius = 19.5  # comfort begins
    high_c: Celsius = 22.0  # comfort ends: nobody heats above it
    cop: Cop = 3.5  # heat for each unit of electricity at 7 °C outdoors
    cop_per_k: CopPerK = 0.08  # so much more for each kelvin above
    run_s: Seconds = 1800.0  # minimum up time: a compressor wears at each start
    rest_s: Seconds = 900.0  # minimum down time: its pressures have to even out
    discomfort_eur_per_kh: PriceEur = 0.5  # what a kelvin below `low_c` counts for an hour

    def __post_init__(self) -> None:
        """Raises ValueError for what does not fit together."""
        if not self.low_c < self.high_c:
            raise ValueError("low_c below high_c")
        if tuple(sorted(set(self.powers_w))) != self.powers_w:
            raise ValueError("powers_w rising")

    def load(self, id_: str) -> "HeatPump":
        """The load that the settings describe."""
        return HeatPump(
            id=id_,
            bands=tuple(Band(low_w=power_w, high_w=power_w) for power_w in self.powers_w),
            wh_per_k=1000.0 * self.kwh_per_k,
            loss_w_per_k=self.loss_w_per_k,
            low_c=self.low_c,
            high_c=self.high_c,
            cop=self.cop,
            cop_per_k=self.cop_per_k,
            minimum_up_s=self.run_s,
            minimum_down_s=self.rest_s,
            discomfort_eur=self.discomfort_eur_per_kh,
        )

    def unseen(self, id_: str) -> "HeatPumpObservation":
        """The load before anything has been seen of it."""
        return HeatPumpObservation(id=id_, settings=self)

    def misfits(self, unit: str) -> Iterator[Misfit]:
        """What a product cannot do whose set-points are in this unit (W, A, share, switch)."""
        yield from no_charger(self.kind, unit)
        if unit == "switch" and len(self.powers_w) > 1:
            allowed = "one power: a switch is on or off"
            yield Misfit(key="powers_w", found=str(list(self.powers_w)), allowed=allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPumpObservation:
    """What has been seen of a heat pump: only its present temperature counts."""

    id: str  # the load's name in the site file
    settings: HeatPumpSettings  # what the user wrote of it
    event: ClassVar = None

    def observed(self, now: LoadMoment) -> "HeatPumpObservation":
        """Nothing is remembered."""
        del now
        return self

    def flexible(self, now: LoadMoment, grid: TimeGrid) -> "LoadWithState[HeatPumpState] | None":
        """The building, while its temperature is reported."""
        del grid  # nothing of it hangs on the time
        temp_c = now.state.value(str(self.settings.device), "temp_c", max_age_s=FRESH_S)
        if temp_c is None:
            return None
        state = HeatPumpState(indoor_c=temp_c, switched=now.switched)
        return LoadWithState(load=self.settings.load(self.id), state=state)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPumpState:
    """How warm the rooms are."""

    indoor_c: float  # temperature now
    switched: Switched | None = None  # whether it runs, and since when; None where nobody knows

    def __post_init__(self) -> None:
        """Raises ValueError for what is no number."""
        finite(self, self.indoor_c)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPump:
    """A building of one heat capacity, heated in bands of electrical power."""

    state_type: ClassVar = HeatPumpState
    presence_point: ClassVar = None

    id: str  # its name in the site file and in plans
    bands: tuple[Band, ...]  # electrical powers: running its own way, and forced where it can be
    wh_per_k: float  # heat capacity of the building
    loss_w_per_k: float  # heat lost to the outdoors
    low_c: float = 19.5  # comfort begins; below it each kelvin and hour costs `discomfort_eur`
    high_c: float = 22.0  # comfort ends
    cop: float = 3.5  # heat for each unit of electricity at 7 °C outdoors
    cop_per_k: float = 0.08  # so much more for each kelvin above; the sum is never below 1
    minimum_up_s: float = 1800.0  # a compressor wears at each start
    minimum_down_s: float = 900.0  # its pressures have to even out
    start_eur: float = 0.02  # of a start: of equal plans the one with fewer
    discomfort_eur: float = 0.5  # what a kelvin below `low_c` counts for an hour

    def __post_init__(self) -> None:
        """Raises ValueError where no building could be heated."""
        finite(self, self.wh_per_k, self.loss_w_per_k, self.low_c, self.high_c, self.cop, self.cop_per_k)
        if not self.bands or min(self.wh_per_k, self.loss_w_per_k) <= 0.0 or self.cop < 1.0:
            raise ValueError(f"a heat pump has powers, a building and a COP of at least 1: {self}")
        if not self.low_c < self.high_c or self.discomfort_eur < 0.0:
            raise ValueError(f"comfort from low to high, at a price: {self}")

    @property
    def comfort(self) -> Comfort:
        """Its temperatures."""
        return Comfort(low_c=self.low_c, high_c=self.high_c, hygiene_c=self.high_c, resume_k=RESUME_K)

    def request(self, state: HeatPumpState, outlook: Outlook) -> LoadRequest:
        """The building as a store of heat above `low_c`: C dT/dt = COP P - loss (T - outdoor).

        What sun, people and devices heat is not known, and is left to the next plan.
        """
        steps, hours = outlook.grid.steps, outlook.hours
        keep, inside = kept_shares(self.loss_w_per_k, self.wh_per_k, hours)
        cop = np.maximum(self.cop + self.cop_per_k * (outlook.outdoor_c - 7.0), 1.0)
        lost = self.wh_per_k * (self.low_c - outlook.outdoor_c) * (1.0 - keep)
        return LoadRequest(
            id=self.id,
            need=EnergyStore(
                id=self.id,
                hours=hours,
                start_wh=self.wh_per_k * (state.indoor_c - self.low_c),
                bands=self.bands,
                free=np.ones(steps, dtype=np.bool_),
                gain=cop * inside,
                drain_wh=lost,
                floor_wh=np.zeros(steps),
                short_price=np.full(steps, self.discomfort_eur * hours * 1000.0 / self.wh_per_k),
                ceiling_wh=np.full(steps, self.wh_per_k * (self.high_c - self.low_c)),
                keep=keep,
                end_price=float(outlook.price.min() / cop.mean()),
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

    def plain_slot(self, state: HeatPumpState, now_s: float) -> LoadSlot:
        """Surplus; its own thermostat does the rest."""
        del state, now_s  # nothing hangs on them
        return surplus_only()

    def carried(self, state: HeatPumpState, power_w: float, *, begin_s: float, end_s: float) -> HeatPumpState:
        """Since when it runs; its temperature is measured."""
        del end_s  # how long does not matter
        return replace(state, switched=switched_after(state.switched, begin_s, runs=power_w > RUNS_W))
