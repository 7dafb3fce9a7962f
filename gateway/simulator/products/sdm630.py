"""Registers of an Eastron SDM630 meter: float32, high word first.

Source: Eastron SDM630Modbus protocol V1.7; volkszaehler/mbmd meters/rs485/sdm.go. Import is positive. Measured
values are input registers only; start and count are even; at most 60 registers in a read. Settings cannot be changed
here: the real ones need a password and a restart.
"""

import math
from collections.abc import Callable

from gateway.simulator.physics.meter import Shown
from gateway.simulator.products.registers import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    READ_HOLDING,
    READ_INPUT,
    Refused,
    words_of,
)

MAX_REGISTERS = 60
INPUT_END = 382  # first address behind the table of measured values; what is not listed in it reads 0.0
SERIAL_NUMBER = 20_311_847
BAUD_CODES = {2400: 0.0, 4800: 1.0, 9600: 2.0, 19200: 3.0, 38400: 4.0}

ADDRESSES = {
    "voltage_l1_v": 0,
    "voltage_l2_v": 2,
    "voltage_l3_v": 4,
    "current_l1_a": 6,
    "current_l2_a": 8,
    "current_l3_a": 10,
    "active_power_l1_w": 12,
    "active_power_l2_w": 14,
    "active_power_l3_w": 16,
    "apparent_power_l1_va": 18,
    "apparent_power_l2_va": 20,
    "apparent_power_l3_va": 22,
    "reactive_power_l1_var": 24,
    "reactive_power_l2_var": 26,
    "reactive_power_l3_var": 28,
    "power_factor_l1": 30,
    "power_factor_l2": 32,
    "power_factor_l3": 34,
    "active_power_w": 52,
    "apparent_power_va": 56,
    "reactive_power_var": 60,
    "power_factor": 62,
    "frequency_hz": 70,
    "energy_import_kwh": 72,
    "energy_export_kwh": 74,
    "energy_total_kwh": 342,
}


class Sdm630:
    """The register map; `show` gives the meter's present picture, `without_value` the points that read NaN."""

    def __init__(
        self, show: Callable[[], Shown], *, without_value: Callable[[], set[str]], unit: int, baud: int
    ) -> None:
        self._show = show
        self._without_value = without_value
        # Settings are floats in holding registers; the serial number is an unsigned 32-bit number.
        self._holding = {
            18: words_of("f", 0.0),  # 8N1
            20: words_of("f", float(unit)),
            28: words_of("f", BAUD_CODES[baud]),
            64512: words_of("I", SERIAL_NUMBER),
        }

    def read(self, function: int, address: int, count: int) -> list[int]:
        """Input registers 0 to 381, or one of the few settings."""
        if function not in (READ_INPUT, READ_HOLDING):
            raise Refused(ILLEGAL_FUNCTION)
        if address % 2:
            raise Refused(ILLEGAL_ADDRESS)
        if count % 2 or not 0 < count <= MAX_REGISTERS:
            raise Refused(ILLEGAL_VALUE)
        return self._measured(address, count) if function == READ_INPUT else self._setting(address, count)

    def _measured(self, address: int, count: int) -> list[int]:
        if address + count > INPUT_END:
            raise Refused(ILLEGAL_ADDRESS)
        by_address = {ADDRESSES[name]: value for name, value in self._values().items()}
        return words_of(f"{count // 2}f", *(by_address.get(a, 0.0) for a in range(address, address + count, 2)))

    def _setting(self, address: int, count: int) -> list[int]:
        if count != 2 or address not in self._holding:
            raise Refused(ILLEGAL_ADDRESS)
        return self._holding[address]

    def _values(self) -> dict[str, float]:
        values = values_of(self._show())
        return values | dict.fromkeys(self._without_value() & set(values), math.nan)


def values_of(shown: Shown) -> dict[str, float]:
    """All values of the table, in the meter's own units and signs (kWh, import positive)."""
    values = {
        "active_power_w": shown.total_w,
        "frequency_hz": shown.frequency_hz,
        "energy_import_kwh": shown.import_wh / 1000.0,
        "energy_export_kwh": shown.export_wh / 1000.0,
        "energy_total_kwh": (shown.import_wh + shown.export_wh) / 1000.0,
    }
    for phase, power_w in enumerate(shown.phases_w, start=1):
        values |= _phase(phase, power_w)
    values["reactive_power_var"] = sum(values[f"reactive_power_l{phase}_var"] for phase in (1, 2, 3))
    values["apparent_power_va"] = math.hypot(shown.total_w, values["reactive_power_var"])
    values["power_factor"] = _factor(shown.total_w, values["apparent_power_va"])
    return values


def _phase(phase: int, power_w: float) -> dict[str, float]:
    """One phase: 0.4 V are lost per kW in the street's cable; a fifth of the power again as reactive power."""
    voltage_v = 232.0 - 0.0004 * power_w
    reactive_var = 0.2 * abs(power_w)
    apparent_va = math.hypot(power_w, reactive_var)
    return {
        f"voltage_l{phase}_v": voltage_v,
        f"current_l{phase}_a": apparent_va / voltage_v,
        f"active_power_l{phase}_w": power_w,
        f"apparent_power_l{phase}_va": apparent_va,
        f"reactive_power_l{phase}_var": reactive_var,
        f"power_factor_l{phase}": _factor(power_w, apparent_va),
    }


def _factor(power_w: float, apparent_va: float) -> float:
    return power_w / apparent_va if apparent_va else 1.0
