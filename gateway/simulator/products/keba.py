"""Registers of a KEBA KeContact P30 with Modbus TCP, unit 255: big endian, high word first.

Source: KeContact P40 Modbus TCP programmers guide V1.02; evcc-io/evcc charger/keba-modbus.go, pull request 7485;
OpenEMS/openems io.openems.edge.evse.chargepoint.keba. Function 3 reads one value of two registers, function 6 writes
one register. Any request begins the failsafe time anew. Currents are in mA, powers in mW, energies in 0.1 Wh. All of
it is measured behind the relay of the charger: without a charge there is no voltage either.
"""

from collections.abc import Callable, Sequence

from gateway.simulator.physics.car import Car
from gateway.simulator.products.registers import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    READ_HOLDING,
    WRITE_ONE,
    Refused,
    point_words,
)

RESTS_W = 1.0  # below it the relay is open
READ_SIZE = 2  # registers: one value in a request
NOT_READY, READY, CHARGING, SUSPENDED = 1, 2, 3, 5
NO_CABLE, AT_CHARGER, LOCKED_AT_CHARGER, AT_CAR, LOCKED_AT_CAR = 0, 1, 3, 5, 7
# By kind of cable: without a car, at a car that may not charge, and else.
CABLE_STATES = {
    "fixed": (LOCKED_AT_CHARGER, LOCKED_AT_CAR, LOCKED_AT_CAR),
    "socket": (NO_CABLE, AT_CAR, LOCKED_AT_CAR),
    "left": (AT_CHARGER, AT_CAR, LOCKED_AT_CAR),
}
SERIAL_NUMBER, DEVICE_TYPE, FIRMWARE = 17_654_321, 314_121, 0x030A3300  # a P30 with 3.10.51, as in evcc issue 15200

ADDRESSES = {
    "ev_state": 1000,
    "cable_state": 1004,
    "fault_code": 1006,
    "current_l1_ma": 1008,
    "current_l2_ma": 1010,
    "current_l3_ma": 1012,
    "serial_number": 1014,
    "device_type": 1016,
    "firmware_version": 1018,
    "active_power_mw": 1020,
    "energy_consumed_dwh": 1036,
    "voltage_l1_v": 1040,
    "voltage_l2_v": 1042,
    "voltage_l3_v": 1044,
    "power_factor": 1046,
    "current_limit_ma": 1100,
    "current_limit_max_ma": 1110,
    "rfid_tag": 1500,
    "session_energy_dwh": 1502,
    "failsafe_current_ma": 1600,
    "failsafe_timeout_s": 1602,
}
CURRENT, ENABLE, FAILSAFE_CURRENT, FAILSAFE_TIMEOUT = 5004, 5014, 5016, 5018
FAILSAFE_TIMES_S = range(5, 601)


class KebaP30:
    """The register map; `now` gives the building's seconds."""

    def __init__(self, car: Car, *, now: Callable[[], float]) -> None:
        self._car = car
        self._now = now

    def read(self, function: int, address: int, count: int) -> list[int]:
        """One value."""
        self._car.charger.hear(self._now())
        if function != READ_HOLDING:
            raise Refused(ILLEGAL_FUNCTION)
        if address not in ADDRESSES.values():
            raise Refused(ILLEGAL_ADDRESS)
        if count != READ_SIZE:
            raise Refused(ILLEGAL_VALUE)
        name = next(name for name, place in ADDRESSES.items() if place == address)
        return point_words("I", values_of(self._car, self._now())[name])

    def write(self, function: int, address: int, words: Sequence[int]) -> None:
        """One register."""
        self._car.charger.hear(self._now())
        if function != WRITE_ONE:
            raise Refused(ILLEGAL_FUNCTION)
        try:
            self._take(address, words[0])
        except ValueError as error:
            raise Refused(ILLEGAL_VALUE) from error

    def _take(self, address: int, value: int) -> None:
        charger = self._car.charger
        if address == CURRENT:
            charger.set_current(value / 1000.0, self._now())
        elif address == ENABLE:
            if value not in (0, 1):
                raise ValueError(value)
            charger.enabled = value == 1
        elif address == FAILSAFE_CURRENT:
            charger.set_failsafe_current(value / 1000.0)
        elif address == FAILSAFE_TIMEOUT:
            if value and value not in FAILSAFE_TIMES_S:
                raise ValueError(value)
            charger.failsafe_s = float(value)
        else:
            raise Refused(ILLEGAL_ADDRESS)


def values_of(car: Car, now_s: float) -> dict[str, int]:
    """The raw values, in its own units."""
    charger, settings = car.charger, car.settings
    current_ma = round(1000.0 * car.drawn_a)
    others_ma = current_ma if car.phases == 3 else 0
    volts = round(settings.voltage_v) if car.power_w > RESTS_W else 0
    return {
        "ev_state": _state(car, now_s),
        "cable_state": _cable(car, now_s),
        "fault_code": 0,
        "current_l1_ma": current_ma,
        "current_l2_ma": others_ma,
        "current_l3_ma": others_ma,
        "serial_number": SERIAL_NUMBER,
        "device_type": DEVICE_TYPE,
        "firmware_version": FIRMWARE,
        "active_power_mw": round(1000.0 * car.power_w),
        "energy_consumed_dwh": int(10.0 * (settings.charged_wh + car.balance.drawn_wh)),
        "voltage_l1_v": volts,
        "voltage_l2_v": volts,
        "voltage_l3_v": volts,
        "power_factor": 1000 if current_ma else 0,
        "current_limit_ma": round(1000.0 * charger.offered_a(now_s)),
        "current_limit_max_ma": round(1000.0 * charger.most_a),
        "rfid_tag": 0,
        "session_energy_dwh": int(10.0 * car.session_wh),
        "failsafe_current_ma": round(1000.0 * charger.failsafe_a),
        "failsafe_timeout_s": round(charger.failsafe_s),
    }


def _state(car: Car, now_s: float) -> int:
    if not car.plugged:
        return NOT_READY
    if car.power_w > RESTS_W:
        return CHARGING
    return READY if car.charger.offered_a(now_s) else SUSPENDED


def _cable(car: Car, now_s: float) -> int:
    without, resting, locked = CABLE_STATES[car.settings.cable]
    if not car.plugged:
        return without
    return locked if car.charger.offered_a(now_s) else resting
