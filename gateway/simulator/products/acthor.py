"""Registers of a my-PV AC THOR, unit 1: 16-bit values; writing 1000 sets a power, reading it returns the actual one.

Source: evcc-io/evcc charger/mypv.go; OpenEMS/openems io.openems.edge.heat.mypv; openWB/core smarthome/acthor. The
power lapses after the time in 1004; 1002 is the temperature at which the device stops by itself.
"""

from collections.abc import Callable, Sequence

from gateway.simulator.physics.tank import Tank
from gateway.simulator.products.registers import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    READ_HOLDING,
    WRITE_MANY,
    WRITE_ONE,
    Refused,
    point_words,
    whole_points,
)

POWER, LIMIT, TIMEOUT = 1000, 1002, 1004
OFF, HEATING = 0, 9
OPERATIONS = {"rest": 0, "surplus": 1, "boost": 2}
ROOM_DC = 200  # the further sensors hang in the cellar

# name -> (address, format): h int16, H uint16.
POINTS = {
    "active_power_w": (POWER, "H"),
    "hot_water_temperature_dc": (1001, "h"),
    "hot_water_setpoint_dc": (LIMIT, "H"),
    "status": (1003, "H"),
    "setpoint_timeout_s": (TIMEOUT, "H"),
    "power_max_w": (1014, "H"),
    "temperature_2_dc": (1030, "h"),
    "temperature_3_dc": (1031, "h"),
    "relay_state": (1058, "H"),
    "load_state": (1059, "H"),
    "voltage_l1_v": (1061, "H"),
    "current_l1_da": (1062, "H"),
    "operating_mode": (1065, "H"),
    "power_max_combined_w": (1071, "H"),
    "operation_state": (1077, "H"),
}
VOLTS = 230.0


class AcThor:
    """The register map; `now` gives the building's seconds."""

    def __init__(self, tank: Tank, *, now: Callable[[], float]) -> None:
        self._tank = tank
        self._now = now

    def read(self, function: int, address: int, count: int) -> list[int]:
        """Whole points, adjacent ones in one read."""
        if function != READ_HOLDING:
            raise Refused(ILLEGAL_FUNCTION)
        values = values_of(self._tank)
        names = whole_points(POINTS, address, count)
        return [word for name in names for word in point_words(POINTS[name][1], values[name])]

    def write(self, function: int, address: int, words: Sequence[int]) -> None:
        """The wanted power, the limit, or the time after which the power lapses."""
        if function not in (WRITE_ONE, WRITE_MANY):
            raise Refused(ILLEGAL_FUNCTION)
        if len(words) != 1 or address not in (POWER, LIMIT, TIMEOUT):
            raise Refused(ILLEGAL_ADDRESS)
        if address == POWER:
            self._tank.set_power(float(words[0]), self._now())
        elif address == LIMIT:
            self._tank.limit_c = words[0] / 10.0
        elif words[0]:
            self._tank.setpoint_timeout_s = float(words[0])
        else:
            raise Refused(ILLEGAL_VALUE)


def values_of(tank: Tank) -> dict[str, int]:
    """The raw values, in its own units."""
    power_max_w = round(tank.settings.heater_w)
    return {
        "active_power_w": round(tank.power_w),
        "hot_water_temperature_dc": round(10.0 * tank.temp_c),
        "hot_water_setpoint_dc": round(10.0 * tank.limit_c),
        "status": HEATING if tank.power_w > 0.0 else OFF,
        "setpoint_timeout_s": round(tank.setpoint_timeout_s),
        "power_max_w": power_max_w,
        "temperature_2_dc": ROOM_DC,
        "temperature_3_dc": ROOM_DC,
        "relay_state": 0,
        "load_state": 1,
        "voltage_l1_v": round(VOLTS),
        "current_l1_da": round(10.0 * tank.power_w / VOLTS),
        "operating_mode": 1,
        "power_max_combined_w": round(1.1 * power_max_w),
        "operation_state": OPERATIONS[tank.work],
    }
