"""Registers of an SMA Sunny Boy Storage, unit 3: big endian, high word first, functions 3 and 4 alike.

Source: SMA Modbus register list TI-en-28; evcc-io/evcc templates/definition/meter/sma-sbs-modbus.yaml; openWB/core
packages/modules/devices/sma. Power and set-point are positive when the battery delivers: the sign is turned here.
A set-point counts while 40151 holds 802 and lapses when neither is written again; 803 hands control back at once.
Counters are those of the AC terminals, standby included.
"""

import struct
from collections.abc import Callable, Sequence

from gateway.simulator.physics.battery import Battery
from gateway.simulator.physics.building import State
from gateway.simulator.physics.meter import mains_hz
from gateway.simulator.products.registers import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    READ_HOLDING,
    READ_INPUT,
    WRITE_MANY,
    Refused,
    whole,
    whole_points,
    words_of,
)

SETPOINT_W = 40149
ENABLE = 40151
ACTIVE, INACTIVE = 802, 803
OK, BATTERY_INVERTER = 307, 8007
STANDBY, CHARGING, DISCHARGING = 2291, 2292, 2293
NAN = {"i": -0x80000000, "I": 0xFFFFFFFF, "Q": 0xFFFFFFFFFFFFFFFF}  # "no value"; i is 0x80000000 on the wire

# name -> (address, format): i int32, I uint32, Q uint64.
POINTS = {
    "device_class": (30051, "I"),
    "status": (30201, "I"),
    "grid_energy_import_wh": (30581, "I"),
    "grid_energy_export_wh": (30583, "I"),
    "pv1_power_w": (30773, "i"),  # a storage inverter has no modules
    "active_power_w": (30775, "i"),
    "frequency_hz": (30803, "I"),  # 0.01 Hz
    "battery_current_a": (30843, "i"),  # 0.001 A
    "soc_pct": (30845, "I"),
    "battery_temperature_c": (30849, "i"),  # 0.1 degree
    "battery_voltage_v": (30851, "I"),  # 0.01 V
    "grid_power_import_w": (30865, "i"),
    "grid_power_export_w": (30867, "i"),
    "battery_status": (30955, "I"),
    "pv2_power_w": (30961, "i"),
    "pv3_power_w": (30967, "i"),
    "battery_charge_power_w": (31393, "I"),
    "battery_discharge_power_w": (31395, "I"),
    "battery_energy_charged_wh": (31397, "Q"),
    "battery_energy_discharged_wh": (31401, "Q"),
    "battery_capacity_wh": (40187, "I"),
    "battery_charge_limit_max_w": (40189, "I"),
    "battery_discharge_limit_max_w": (40191, "I"),
}
ABSENT = ("pv1_power_w", "pv2_power_w", "pv3_power_w")


class SmaStorage:
    """The register map; `now` gives the building's seconds, `refusal` an exception code for writes, or None."""

    def __init__(
        self,
        battery: Battery,
        show: Callable[[], State],
        *,
        now: Callable[[], float],
        without_value: Callable[[], set[str]],
        refusal: Callable[[], int | None],
    ) -> None:
        self._battery = battery
        self._show = show
        self._now = now
        self._without_value = without_value
        self._refusal = refusal

    def read(self, function: int, address: int, count: int) -> list[int]:
        """Whole points, adjacent ones in one read; 40149 and 40151 cannot be read back."""
        if function not in (READ_HOLDING, READ_INPUT):
            raise Refused(ILLEGAL_FUNCTION)
        values = self._values()
        names = whole_points(POINTS, address, count)
        return [word for name in names for word in words_of(POINTS[name][1], values[name])]

    def write(self, function: int, address: int, words: Sequence[int]) -> None:
        """The set-point, the enable, or both in one message; half of a 32-bit value is refused."""
        refusal = self._refusal()
        if refusal is not None:
            raise Refused(refusal)
        if address not in (SETPOINT_W, ENABLE) or address + len(words) > ENABLE + 2:
            raise Refused(ILLEGAL_ADDRESS)
        if function != WRITE_MANY or len(words) % 2:
            raise Refused(ILLEGAL_VALUE)
        data = struct.pack(f">{len(words)}H", *words)
        if address + len(words) == ENABLE + 2 and struct.unpack(">I", data[-4:])[0] not in (ACTIVE, INACTIVE):
            raise Refused(ILLEGAL_VALUE)
        if address == SETPOINT_W:
            self._battery.set_power(float(-struct.unpack(">i", data[:4])[0]), self._now())
        if address + len(words) == ENABLE + 2:
            self._switch(struct.unpack(">I", data[-4:])[0])

    def _switch(self, enable: int) -> None:
        if enable == ACTIVE:
            self._battery.enable(self._now())
        else:
            self._battery.release()

    def _values(self) -> dict[str, int]:
        values = values_of(self._battery, self._show())
        absent = self._without_value() & set(POINTS)
        return values | {name: NAN[POINTS[name][1]] for name in (*ABSENT, *absent)}


def values_of(battery: Battery, state: State) -> dict[str, int]:
    """The raw values that the device has, in its own units and signs."""
    settings = battery.settings
    volts = 360.0 + 50.0 * state.soc  # a high-voltage stack, about 3.6 to 4.1 V a cell
    charge_w, discharge_w = max(state.battery_w, 0.0), max(-state.battery_w, 0.0)
    return {
        "device_class": BATTERY_INVERTER,
        "status": OK,
        "grid_energy_import_wh": int(state.import_wh),
        "grid_energy_export_wh": int(state.export_wh),
        "active_power_w": -round(state.battery_w),
        "frequency_hz": round(100.0 * mains_hz(state.utc_s)),
        "battery_current_a": -round(1000.0 * state.battery_w / volts),
        "soc_pct": whole(100.0 * state.soc, 0, 100),
        "battery_temperature_c": round(10.0 * (22.0 + 0.001 * abs(state.battery_w))),
        "battery_voltage_v": round(100.0 * volts),
        "grid_power_import_w": round(max(state.grid_w, 0.0)),
        "grid_power_export_w": round(max(-state.grid_w, 0.0)),
        "battery_status": _activity(state.battery_w, settings.standby_w),
        "battery_charge_power_w": round(charge_w),
        "battery_discharge_power_w": round(discharge_w),
        "battery_energy_charged_wh": int(settings.charged_wh + state.charge_wh),
        "battery_energy_discharged_wh": int(settings.discharged_wh + state.discharge_wh),
        "battery_capacity_wh": round(settings.capacity_wh),
        "battery_charge_limit_max_w": round(settings.charge_max_w),
        "battery_discharge_limit_max_w": round(settings.discharge_max_w),
    }


def _activity(power_w: float, standby_w: float) -> int:
    if power_w < 0.0:
        return DISCHARGING
    return CHARGING if power_w > standby_w else STANDBY
