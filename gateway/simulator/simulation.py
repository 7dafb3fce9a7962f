"""The whole building without its links: physics, meter, faults, register maps, and its reports."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import get_args

from gateway.mistakes import Mistake
from gateway.simulator.device_faults import CounterAtZero
from gateway.simulator.fault import Device, Fault
from gateway.simulator.fault_effects import FaultEffects, spoiled
from gateway.simulator.faults import ActiveFaults, BatteryRefuses, InverterRefuses, NanSentinel
from gateway.simulator.link_faults import ChainWithoutEnd
from gateway.simulator.physics.battery import Battery
from gateway.simulator.physics.building import Building, PowerSource, State
from gateway.simulator.physics.inverter import Inverter
from gateway.simulator.physics.load import Household
from gateway.simulator.physics.loads import loads_of
from gateway.simulator.physics.meter import MeterDisplay
from gateway.simulator.physics.pv import Roof
from gateway.simulator.products import sdm630, sma_storage, sma_tripower, sunspec
from gateway.simulator.products.linky import Linky
from gateway.simulator.products.load_maps import maps_of, points_of, pump_meter
from gateway.simulator.products.places import places_of
from gateway.simulator.products.registers import (
    ReadableWritable,
    RefusesWrites,
    RegisterMap,
    ReportsWrites,
    SpoilsReads,
)
from gateway.simulator.products.sdm630 import Sdm630
from gateway.simulator.products.sma_storage import SmaStorage
from gateway.simulator.products.sma_tripower import SmaTripower
from gateway.simulator.products.sunspec import SunspecInverter
from gateway.simulator.recordings.series import open_series
from gateway.simulator.settings.config import LOADS, HouseConfig
from gateway.simulator.settings.mistakes import HouseFileError

STEP_S = 0.1  # live step: 10 Hz
TRACE_ROWS = 6000  # ten minutes at 10 Hz
WRITES_KEPT = 6000  # of all devices together: ten minutes and more


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRow:
    """One step on the machine's monotonic clock."""

    monotonic_s: float
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What a device took, at its moment on the machine's monotonic clock."""

    monotonic_s: float
    device: Device
    address: int
    words: tuple[int, ...]


class Simulation:
    """The building in one piece; `advance` is all that moves it, live or in virtual time."""

    def __init__(self, config: HouseConfig, *, monotonic_s: float = 0.0) -> None:
        start_s = config.clock.start_utc_s
        load, pv = _sources(config)
        self.battery = Battery(config.battery)
        self.inverter = Inverter(config.pv)
        self.loads = loads_of(config)
        self.building = Building(
            load=load,
            pv=pv,
            inverter=self.inverter,
            battery=self.battery,
            start_utc_s=start_s,
            loads=self.loads,
        )
        self.faults = ActiveFaults()
        self._effects = FaultEffects(self.faults, battery=self.battery, inverter=self.inverter, loads=self.loads)
        self._begun_s = monotonic_s
        self._clock: Callable[[], float] | None = None
        self.state = self.building.advance(1e-3)  # a first picture for the registers
        self.meter = MeterDisplay(config.meter, seed=config.seed, first=self.state)
        self.linky = Linky(config.linky, config.clock, first=self.state)
        self.trace: deque[TraceRow] = deque(maxlen=TRACE_ROWS)
        self.writes: deque[Write] = deque(maxlen=WRITES_KEPT)
        self._serve(config)

    @property
    def monotonic_s(self) -> float:
        """The machine's monotonic clock at the end of the last step."""
        return self._begun_s + self.state.elapsed_s

    @property
    def now_s(self) -> float:
        """The building's seconds at this instant: in a simulator that runs, time goes on between two steps."""
        if self._clock is None:
            return self.building.elapsed_s
        return max(self._clock() - self._begun_s, self.building.elapsed_s)

    def live_by(self, clock: Callable[[], float]) -> None:
        """From now on time passes by this monotonic clock, which stands at the end of the last step."""
        self.align(clock())
        self._clock = clock

    def advance(self, dt_s: float) -> State:
        """Let time pass in one step."""
        self._effects.begin_step(self.building.elapsed_s)
        self.state = self.building.advance(dt_s)
        self.faults.pass_to(self.state.elapsed_s)
        self.faults.dark = self.state.pv_w == 0.0 and not self.state.pv_throttled
        self.meter.take(self.state, self.faults)
        self.linky.take(self.state)
        self.trace.append(TraceRow(monotonic_s=self.monotonic_s, state=self.state))
        return self.state

    def begin(self, fault: Fault) -> None:
        """Let something go wrong; ValueError for what the building or the device does not have."""
        if fault.device in LOADS and fault.device not in self.loads.by_name:
            raise ValueError(f"there is no {fault.device} in this building")
        points = self._points[fault.device]
        if isinstance(fault, NanSentinel) and fault.point not in points:
            raise ValueError(f"{fault.device} has no point {fault.point!r}; there are {', '.join(points)}")
        if isinstance(fault, CounterAtZero) and fault.point not in self._places[fault.device]:
            known = ", ".join(self._places[fault.device]) or "none"
            raise ValueError(f"{fault.device} has no point {fault.point!r}; there are {known}")
        self.faults.add(fault)

    def align(self, monotonic_s: float) -> None:
        """Say that the machine's monotonic clock stands here at the end of the last step."""
        self._begun_s = monotonic_s - self.state.elapsed_s

    def last_rows(self, seconds: float) -> list[TraceRow]:
        """The steps of the last seconds, oldest first."""
        wanted = min(max(round(seconds / STEP_S), 0), len(self.trace))
        return list(islice(self.trace, len(self.trace) - wanted, None))

    def _reporting_writes(self, device: Device, registers: ReadableWritable) -> ReadableWritable:
        return ReportsWrites(self._spoiling_reads(device, registers), partial(self._wrote, device))

    def _spoiling_reads(self, device: Device, registers: RegisterMap) -> SpoilsReads:
        return SpoilsReads(registers, partial(spoiled, self.faults, device, self._places[device]))

    def _wrote(self, device: Device, address: int, words: Sequence[int]) -> None:
        moment_s = self._begun_s + self.now_s
        self.writes.append(Write(monotonic_s=moment_s, device=device, address=address, words=tuple(words)))

    def _serve(self, config: HouseConfig) -> None:
        """The register maps of the devices."""
        serve = config.serve
        self._places = {device: places_of(device, serve) for device in get_args(Device)}
        meter = Sdm630(
            lambda: self.meter.shown,
            without_value=lambda: self.faults.points_without_value("meter"),
            unit=serve.meter.unit,
            baud=serve.meter.baud,
        )
        self.meter_registers = self._spoiling_reads("meter", meter)
        self.pv_registers = self._pv_map(config)
        battery = SmaStorage(
            self.battery,
            lambda: self._effects.reported(self.state),
            now=lambda: self.building.elapsed_s,
            without_value=lambda: self.faults.points_without_value("battery"),
            refusal=self._refusal,
        )
        self.battery_registers = self._reporting_writes("battery", battery)
        loads = maps_of(self.loads, serve, now=lambda: self.now_s, faults=self.faults)
        self.load_registers = {load: self._reporting_writes(load, registers) for load, registers in loads.items()}
        self.pump_meter_registers: Sdm630 | None = None
        if self.loads.pool_pump and serve.pool_pump:
            hz = lambda: self.meter.shown.frequency_hz  # noqa: E731
            self.pump_meter_registers = pump_meter(self.loads.pool_pump, serve, mains_hz=hz)
        tripower = serve.pv.profile == "sma_tripower"
        self._points: dict[Device, tuple[str, ...]] = {
            "meter": tuple(sdm630.ADDRESSES),
            "pv": tuple(sma_tripower.POINTS if tripower else sunspec.NAN_POINTS),
            "battery": tuple(sma_storage.POINTS),
            "linky": (),
            "car": points_of("car", serve),
            "tank": points_of("tank", serve),
            "heat_pump": points_of("heat_pump", serve),
            "pool_pump": points_of("pool_pump", serve),
        }

    def _pv_map(self, config: HouseConfig) -> RegisterMap:
        if config.serve.pv.profile == "sunspec":
            sunspec_inverter = SunspecInverter(
                lambda: self.state,
                settings=config.pv,
                without_value=lambda: self.faults.points_without_value("pv"),
                has_end=lambda: self.faults.find(ChainWithoutEnd, "pv") is None,
            )
            return self._spoiling_reads("pv", sunspec_inverter)
        tripower = SmaTripower(
            self.inverter,
            lambda: self.state,
            now=lambda: self.building.elapsed_s,
            without_value=lambda: self.faults.points_without_value("pv"),
        )
        return self._reporting_writes("pv", RefusesWrites(tripower, self._limit_refusal))

    def _limit_refusal(self) -> int | None:
        refuses = self.faults.find(InverterRefuses, "pv")
        return refuses.code if refuses else None

    def _refusal(self) -> int | None:
        refuses = self.faults.find(BatteryRefuses, "battery")
        return refuses.code if refuses else None


def _sources(config: HouseConfig) -> tuple[PowerSource, PowerSource]:
    """Load and PV from files or generators; the mistakes of both files at once."""
    start_s = config.clock.start_utc_s
    load: PowerSource = Household(config.load, seed=config.seed, start_s=start_s)
    pv: PowerSource = Roof(config.pv, seed=config.seed, start_s=start_s)
    mistakes: list[Mistake] = []
    try:
        if config.load.file:
            load = open_series(config.load, "load", kwp=config.pv.kwp, zone=config.clock.zone, start_utc_s=start_s)
    except HouseFileError as error:
        mistakes += error.mistakes
    try:
        if config.pv.file:
            pv = open_series(config.pv, "pv", kwp=config.pv.kwp, zone=config.clock.zone, start_utc_s=start_s)
    except HouseFileError as error:
        mistakes += error.mistakes
    if mistakes:
        raise HouseFileError(None, mistakes)
    return load, pv
