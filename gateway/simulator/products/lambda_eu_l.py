"""Registers of a Lambda EU-L heat pump, unit 1: functions 3 and 16 only, 32-bit values with the low word first.

Source: evcc-io/evcc templates/definition/charger/lambda-zewotherm.yaml; openHAB modbus.lambda; GuidoJeuken-6512/
lambda_heat_pumps. A surplus written to 102 is offered to the heat pump and lapses after 60 s. Rooms: 5004.
"""

from collections.abc import Callable, Sequence

from gateway.simulator.physics.heat_pump import HeatPump
from gateway.simulator.products.registers import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    READ_HOLDING,
    WRITE_MANY,
    Refused,
    point_words,
    whole_points,
)

SURPLUS = 102
AUTOMATIC = 1
STANDBY, HEATING = 0, 1
STOPPED, RUNNING = 3, 7

# name -> (address, format): h int16, H uint16, i int32.
POINTS = {
    "ambient_error": (0, "h"),
    "outdoor_temperature_dc": (2, "h"),
    "energy_manager_error": (100, "h"),
    "energy_manager_state": (101, "H"),
    "power_consumed_em_w": (103, "h"),
    "power_setpoint_w": (104, "h"),
    "fault_state": (1000, "H"),
    "fault_code": (1001, "h"),
    "status": (1002, "H"),
    "operation_state": (1003, "H"),
    "flow_temperature_cc": (1004, "h"),
    "return_temperature_cc": (1005, "h"),
    "compressor_cpct": (1010, "H"),
    "heat_power_hw": (1011, "h"),
    "active_power_w": (1012, "h"),
    "cop_c": (1013, "h"),
    "energy_consumed_wh": (1020, "i"),
    "heat_energy_wh": (1022, "i"),
    "buffer_temperature_dc": (3002, "h"),
    "buffer_temperature_low_dc": (3003, "h"),
    "heating_circuit_flow_dc": (5002, "h"),
    "room_temperature_dc": (5004, "h"),
}


class LambdaEuL:
    """The register map; `now` gives the building's seconds."""

    def __init__(self, heat_pump: HeatPump, *, now: Callable[[], float]) -> None:
        self._heat_pump = heat_pump
        self._now = now

    def read(self, function: int, address: int, count: int) -> list[int]:
        """Whole points, adjacent ones in one read."""
        if function != READ_HOLDING:
            raise Refused(ILLEGAL_FUNCTION)
        values = values_of(self._heat_pump, self._now())
        names = whole_points(POINTS, address, count)
        return [word for name in names for word in point_words(POINTS[name][1], values[name])[::-1]]

    def write(self, function: int, address: int, words: Sequence[int]) -> None:
        """The surplus, unsigned."""
        if function != WRITE_MANY:
            raise Refused(ILLEGAL_FUNCTION)
        if address != SURPLUS or len(words) != 1:
            raise Refused(ILLEGAL_ADDRESS)
        self._heat_pump.offer(float(words[0]), self._now())


def values_of(heat_pump: HeatPump, now_s: float) -> dict[str, int]:
    """The raw values, in its own units."""
    balance, settings = heat_pump.balance, heat_pump.settings
    supply_c, back_c = heat_pump.flow_c, heat_pump.return_c
    return {
        "ambient_error": 0,
        "outdoor_temperature_dc": round(10.0 * heat_pump.outdoor_c),
        "energy_manager_error": 0,
        "energy_manager_state": AUTOMATIC,
        "power_consumed_em_w": round(heat_pump.power_w),
        "power_setpoint_w": round(min(heat_pump.offered_w(now_s), settings.most_w)),
        "fault_state": 0,
        "fault_code": 0,
        "status": RUNNING if heat_pump.running else STOPPED,
        "operation_state": HEATING if heat_pump.running else STANDBY,
        "flow_temperature_cc": round(100.0 * supply_c),
        "return_temperature_cc": round(100.0 * back_c),
        "compressor_cpct": round(10_000.0 * heat_pump.compressor_w / settings.most_w),
        "heat_power_hw": round(heat_pump.heat_w / 100.0),
        "active_power_w": round(heat_pump.power_w),
        "cop_c": round(100.0 * heat_pump.cop) if heat_pump.running else 0,
        "energy_consumed_wh": int(settings.used_wh + balance.used_wh),
        "heat_energy_wh": int(3.5 * settings.used_wh + balance.heat_wh),
        "buffer_temperature_dc": round(10.0 * supply_c),
        "buffer_temperature_low_dc": round(10.0 * back_c),
        "heating_circuit_flow_dc": round(10.0 * supply_c),
        "room_temperature_dc": round(10.0 * heat_pump.temp_c),
    }
