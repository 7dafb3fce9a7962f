"""Registers of a Stiebel Eltron ISG with WPM, unit 1: measured values are input registers, SG Ready is in 4000 to 4002.

Source: evcc-io/evcc templates/definition/charger/stiebel-wpm.yaml; Stiebel Eltron ISG Modbus manual (its numbers count
from 1); pail23/stiebel_eltron_isg. 0x8000 is what this plant does not have. It does not report its electric power.
"""

from collections.abc import Callable, Sequence

from gateway.simulator.physics.heat_pump import HeatPump
from gateway.simulator.products.registers import (
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    READ_HOLDING,
    READ_INPUT,
    WRITE_MANY,
    WRITE_ONE,
    Refused,
    point_words,
    whole_points,
)

NAN = -0x8000  # 0x8000 on the wire
COMPRESSOR_BIT = 6
BLOCKED, NORMAL, FORCED = 1, 2, 3
SG_ENABLE, SG_1, SG_2 = 4000, 4001, 4002

# name -> (address, format) of input registers: h int16, H uint16.
POINTS = {
    "room_temperature_dc": (502, "h"),
    "outdoor_temperature_dc": (506, "h"),
    "heating_circuit_temperature_dc": (507, "h"),
    "flow_temperature_dc": (514, "h"),
    "return_temperature_dc": (515, "h"),
    "buffer_temperature_dc": (517, "h"),
    "hot_water_temperature_dc": (521, "h"),
    "status": (2500, "H"),
    "fault_state": (2503, "H"),
    "energy_consumed_day_kwh": (3510, "H"),
    "energy_consumed_low_kwh": (3511, "H"),
    "energy_consumed_high_mwh": (3512, "H"),
    "sg_ready_state": (5000, "H"),
}
SETTINGS = {"sg_ready_enable": (SG_ENABLE, "H"), "sg_ready_1": (SG_1, "H"), "sg_ready_2": (SG_2, "H")}


class StiebelIsg:
    """The register map."""

    def __init__(self, heat_pump: HeatPump, *, without_value: Callable[[], set[str]]) -> None:
        self._heat_pump = heat_pump
        self._without_value = without_value
        self._sg = {"sg_ready_enable": 1, "sg_ready_1": 0, "sg_ready_2": 0}

    def read(self, function: int, address: int, count: int) -> list[int]:
        """Whole points, adjacent ones in one read."""
        if function not in (READ_HOLDING, READ_INPUT):
            raise Refused(ILLEGAL_FUNCTION)
        places = POINTS if function == READ_INPUT else SETTINGS
        values = self._values() if function == READ_INPUT else self._sg
        names = whole_points(places, address, count)
        return [word for name in names for word in point_words(places[name][1], values[name])]

    def write(self, function: int, address: int, words: Sequence[int]) -> None:
        """The three settings of SG Ready: (0, 0) is normal, (1, 0) forced, (0, 1) blocked."""
        if function not in (WRITE_ONE, WRITE_MANY):
            raise Refused(ILLEGAL_FUNCTION)
        names = whole_points(SETTINGS, address, len(words))
        if any(word not in (0, 1) for word in words):
            raise Refused(ILLEGAL_VALUE)
        self._sg |= dict(zip(names, words, strict=True))
        self._heat_pump.writes += 1
        self._heat_pump.forced = self._state() == FORCED
        self._heat_pump.blocked = self._state() == BLOCKED

    def _state(self) -> int:
        if not self._sg["sg_ready_enable"]:
            return NORMAL
        pair = self._sg["sg_ready_1"], self._sg["sg_ready_2"]
        return {(1, 0): FORCED, (0, 1): BLOCKED}.get(pair, NORMAL)

    def _values(self) -> dict[str, int]:
        absent = self._without_value() & set(POINTS)
        return {**values_of(self._heat_pump), "sg_ready_state": self._state()} | dict.fromkeys(absent, NAN)


def values_of(heat_pump: HeatPump) -> dict[str, int]:
    """The raw values, in tenths of a degree and whole kWh."""
    supply_dc, back_dc = round(10.0 * heat_pump.flow_c), round(10.0 * heat_pump.return_c)
    used_kwh = int((heat_pump.settings.used_wh + heat_pump.balance.used_wh) / 1000.0)
    return {
        "room_temperature_dc": round(10.0 * heat_pump.temp_c),
        "outdoor_temperature_dc": round(10.0 * heat_pump.outdoor_c),
        "heating_circuit_temperature_dc": supply_dc,
        "flow_temperature_dc": supply_dc,
        "return_temperature_dc": back_dc,
        "buffer_temperature_dc": supply_dc,
        "hot_water_temperature_dc": NAN,  # another heater makes the hot water
        "status": int(heat_pump.running) << COMPRESSOR_BIT,
        "fault_state": 0,
        "energy_consumed_day_kwh": int(heat_pump.balance.used_wh / 1000.0),
        "energy_consumed_low_kwh": used_kwh % 1000,
        "energy_consumed_high_mwh": used_kwh // 1000,
    }
