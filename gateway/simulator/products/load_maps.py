"""Which registers speak for which load: one map for each that the house file serves."""

from collections.abc import Callable, Mapping
from functools import partial

from gateway.simulator.fault import LoadName
from gateway.simulator.faults import ActiveFaults, LoadRefuses
from gateway.simulator.physics.heat_pump import HeatPump
from gateway.simulator.physics.loads import Loads
from gateway.simulator.physics.meter import Shown
from gateway.simulator.physics.pool_pump import PoolPump
from gateway.simulator.products import stiebel_isg
from gateway.simulator.products.acthor import AcThor
from gateway.simulator.products.keba import KebaP30
from gateway.simulator.products.lambda_eu_l import LambdaEuL
from gateway.simulator.products.registers import ReadableWritable, RefusesWrites
from gateway.simulator.products.sdm630 import Sdm630
from gateway.simulator.products.stiebel_isg import StiebelIsg
from gateway.simulator.products.waveshare_relay import WaveshareRelay
from gateway.simulator.settings.config import Serve


def maps_of(
    loads: Loads, serve: Serve, *, now: Callable[[], float], faults: ActiveFaults
) -> Mapping[LoadName, ReadableWritable]:
    """The maps by load; `now` gives the building's seconds."""
    maps: dict[LoadName, ReadableWritable] = {}
    if loads.car and serve.car:
        maps["car"] = KebaP30(loads.car, now=now)
    if loads.tank and serve.tank:
        maps["tank"] = AcThor(loads.tank, now=now)
    if loads.heat_pump and serve.heat_pump:
        maps["heat_pump"] = _heat_pump(loads.heat_pump, serve.heat_pump.profile, now=now, faults=faults)
    if loads.pool_pump and serve.pool_pump:
        maps["pool_pump"] = WaveshareRelay(
            unit=serve.pool_pump.unit, relay_1=partial(setattr, loads.pool_pump, "closed")
        )
    return {load: RefusesWrites(each, partial(_refusal, faults, load)) for load, each in maps.items()}


def pump_meter(pump: PoolPump, serve: Serve, *, mains_hz: Callable[[], float]) -> Sdm630:
    """The meter of a pool pump, which is served."""
    assert serve.pool_pump is not None  # noqa: S101 - the caller asked

    def shown() -> Shown:
        return Shown(
            taken_s=0.0,
            total_w=pump.power_w,
            phases_w=(0.0, pump.power_w, 0.0),
            import_wh=pump.counter_wh,
            export_wh=0.0,
            frequency_hz=mains_hz(),
        )

    return Sdm630(shown, without_value=set, unit=serve.pool_pump.meter_unit, baud=serve.meter.baud)


def points_of(load: LoadName, serve: Serve) -> tuple[str, ...]:
    """The points that a load can be without a value of; most makers have no pattern for that."""
    stiebel = load == "heat_pump" and serve.heat_pump is not None and serve.heat_pump.profile == "stiebel_isg_wpm"
    return tuple(stiebel_isg.POINTS) if stiebel else ()


def _heat_pump(
    heat_pump: HeatPump, profile: str, *, now: Callable[[], float], faults: ActiveFaults
) -> ReadableWritable:
    if profile == "lambda_eu_l":
        return LambdaEuL(heat_pump, now=now)
    return StiebelIsg(heat_pump, without_value=lambda: faults.points_without_value("heat_pump"))


def _refusal(faults: ActiveFaults, load: LoadName) -> int | None:
    refuses = faults.find(LoadRefuses, load)
    return refuses.code if refuses else None
