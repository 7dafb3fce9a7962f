"""Registers of an SMA Sunny Tripower, unit 3: big endian, high word first, functions 3 and 4 alike.

Source: SMA Modbus register list TI-en-28; evcc-io/evcc templates/definition/meter/sma-inverter-modbus.yaml;
OpenEMS/openems io.openems.edge.sma. W is positive when the inverter delivers; at night, power and frequency are the
pattern for "no value". The limit of its production is written to 40016 (whole %) or 40023 (0.01 %) and lapses.
"""

import struct
from collections.abc import Callable, Sequence

from gateway.simulator.physics.building import State
from gateway.simulator.physics.inverter import Inverter
from gateway.simulator.physics.meter import mains_hz
from gateway.simulator.products.registers import (
    ILLEGAL_ADDRESS,
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

STEPS_OF_LIMIT = {40016: 100, 40023: 10_000}  # address -> the number that means all of the rated power
OK, SOLAR_INVERTER = 307, 8001
EXTERNAL = 1079
NAN = {"i": -0x80000000, "I": 0xFFFFFFFF, "Q": 0xFFFFFFFFFFFFFFFF}

# name -> (address, format): i int32, I uint32, Q uint64.
POINTS = {
    "device_class": (30051, "I"),
    "status": (30201, "I"),
    "energy_produced_wh": (30513, "Q"),
    "energy_produced_32_wh": (30529, "I"),
    "active_power_w": (30775, "i"),
    "frequency_hz": (30803, "I"),  # 0.01 Hz
    "active_power_limit_mode": (40210, "I"),
}


class SmaTripower:
    """The register map; `now` gives the building's seconds."""

    def __init__(
        self,
        inverter: Inverter,
        show: Callable[[], State],
        *,
        now: Callable[[], float],
        without_value: Callable[[], set[str]],
    ) -> None:
        self._inverter = inverter
        self._show = show
        self._now = now
        self._without_value = without_value

    def read(self, function: int, address: int, count: int) -> list[int]:
        """Whole points, adjacent ones in one read; a limit cannot be read back."""
        if function not in (READ_HOLDING, READ_INPUT):
            raise Refused(ILLEGAL_FUNCTION)
        values = self._values()
        names = whole_points(POINTS, address, count)
        return [word for name in names for word in point_words(POINTS[name][1], values[name])]

    def write(self, function: int, address: int, words: Sequence[int]) -> None:
        """A limit, 0 to 100 %."""
        if function not in (WRITE_ONE, WRITE_MANY):
            raise Refused(ILLEGAL_FUNCTION)
        if address not in STEPS_OF_LIMIT or len(words) != 1:
            raise Refused(ILLEGAL_ADDRESS)
        (limit,) = struct.unpack(">h", struct.pack(">H", words[0]))
        if not 0 <= limit <= STEPS_OF_LIMIT[address]:
            raise Refused(ILLEGAL_VALUE)
        self._inverter.set_limit(limit / STEPS_OF_LIMIT[address], self._now())

    def _values(self) -> dict[str, int]:
        state = self._show()
        asleep = {"active_power_w", "frequency_hz"} if state.pv_w == 0.0 and not state.pv_throttled else set()
        absent = (self._without_value() & set(POINTS)) | asleep
        produced_wh = int(self._inverter.settings.produced_wh + state.pv_wh)
        values = {
            "device_class": SOLAR_INVERTER,
            "status": OK,
            "energy_produced_wh": produced_wh,
            "energy_produced_32_wh": produced_wh % 2**32,
            "active_power_w": round(-state.pv_w),
            "frequency_hz": round(100.0 * mains_hz(state.utc_s)),
            "active_power_limit_mode": EXTERNAL,
        }
        return values | {name: NAN[POINTS[name][1]] for name in absent}
