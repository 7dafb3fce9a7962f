"""Registers of a three-phase PV inverter with SunSpec models 1, 103 (integers and scale factors) and 120.

Source: sunspec/models json/model_1.json, model_103.json, model_120.json. The marker "SunS" is at 40000, each model
starts with its number and length, the chain ends with 0xFFFF and 0. W is positive when the inverter delivers.
"""

from collections.abc import Callable

from gateway.simulator.physics.building import State
from gateway.simulator.physics.meter import mains_hz
from gateway.simulator.products.registers import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    READ_HOLDING,
    Refused,
    text_words,
    whole,
    words_of,
)
from gateway.simulator.settings.config import Pv

BASE = 40000
MARKER = [0x5375, 0x6E53]  # "SunS"
END = [0xFFFF, 0]
NAN16 = 0x8000  # int16 and scale factors; uint16 and enum16 say 0xFFFF, accumulators 0
NANU16 = 0xFFFF
SLEEPING, MPPT, THROTTLED = 2, 4, 5
# Some inverters change the exponent while they run, so that small powers keep a digit.
FINE_BELOW_W = 3000.0

# Offsets of model 103 for `NanSentinel`: (offset, pattern).
NAN_POINTS: dict[str, tuple[int, list[int]]] = {
    "active_power_w": (14, [NAN16]),
    "frequency_hz": (16, [NANU16]),
    "energy_wh": (24, [0, 0]),
    "status": (38, [NANU16]),
}


class SunspecInverter:
    """The register map; `show` gives the building's present state, `has_end` whether the chain ends as it should."""

    def __init__(
        self,
        show: Callable[[], State],
        *,
        settings: Pv,
        without_value: Callable[[], set[str]],
        has_end: Callable[[], bool] = lambda: True,
    ) -> None:
        self._show = show
        self._has_end = has_end
        self._settings = settings
        self._without_value = without_value
        self._fixed = [*MARKER, *common_model()]
        self._tail = nameplate_model(settings.inverter_limit_w)

    def read(self, function: int, address: int, count: int) -> list[int]:
        """Holding registers from 40000 to the end of the chain."""
        if function != READ_HOLDING:
            raise Refused(ILLEGAL_FUNCTION)
        image = [*self._fixed, *self._inverter(), *self._tail, *(END if self._has_end() else ())]
        start = address - BASE
        if start < 0 or start + count > len(image):
            raise Refused(ILLEGAL_ADDRESS)
        return image[start : start + count]

    def _inverter(self) -> list[int]:
        state = self._show()
        words = inverter_model(state, counter_wh=self._settings.produced_wh + state.pv_wh)
        for name in self._without_value() & set(NAN_POINTS):
            offset, pattern = NAN_POINTS[name]
            words[offset : offset + len(pattern)] = pattern
        return words


def common_model() -> list[int]:
    """Model 1: who made it."""
    return [
        *(1, 66),
        *text_words("Zen-e-Ville", 16),
        *text_words("Simulated 5.0", 16),
        *text_words("", 8),
        *text_words("1.0", 8),
        *text_words("ZEV-PV-0001", 16),
        *(1, NAN16),  # device address, pad
    ]


def inverter_model(state: State, *, counter_wh: float) -> list[int]:
    """Model 103: what it does now. Reactive power is none; the DC side has 3 % more than the AC side."""
    power_w = -state.pv_w
    exponent = -1 if power_w < FINE_BELOW_W else 0
    voltage_v = 232.0 + 0.0002 * power_w
    phase_a = power_w / 3.0 / voltage_v
    watts = whole(power_w / 10.0**exponent, -32767, 32767)
    phase_ca, phase_dv = whole(100.0 * phase_a, 0, 65534), whole(10.0 * voltage_v, 0, 65534)
    line_dv = whole(10.0 * voltage_v * 3.0**0.5, 0, 65534)
    dc_v = 620.0 if power_w > 0.0 else 0.0
    dc_da = whole(10.0 * 1.03 * power_w / dc_v, 0, 65534) if dc_v else 0
    return [
        *(103, 50),
        *(whole(300.0 * phase_a, 0, 65534), phase_ca, phase_ca, phase_ca, *words_of("h", -2)),
        *(line_dv, line_dv, line_dv, phase_dv, phase_dv, phase_dv, *words_of("h", -1)),
        *words_of("hh", watts, exponent),
        *words_of("Hh", whole(100.0 * mains_hz(state.utc_s), 0, 65534), -2),
        *words_of("hh", watts, exponent),  # VA
        *words_of("hh", 0, 0),  # var
        *words_of("hh", 100, 0),  # power factor, percent
        *words_of("Ih", int(counter_wh) % 2**32, 0),
        *words_of("Hh", dc_da, -1),
        *words_of("Hh", whole(10.0 * dc_v, 0, 65534), -1),
        *words_of("hh", whole(1.03 * power_w, -32767, 32767), 0),
        *words_of("h", whole(25.0 + 0.006 * power_w, -40, 120)),
        *(NAN16, NAN16, NAN16, 0),  # no other temperatures; exponent 0
        *(_status(state), NANU16),
        *([0] * 4),  # events: none
        *([0xFFFF] * 8),  # the vendor's own events: not implemented
    ]


def nameplate_model(rated_w: float) -> list[int]:
    """Model 120: a PV plant of that rating; storage points are not implemented."""
    rated = whole(rated_w, 0, 65534)
    return [
        *(120, 26, 4),
        *(rated, 0, rated, 0),  # W, VA
        *(NAN16, NAN16, NAN16, NAN16, NAN16),  # var in four quadrants, exponent
        *(whole(10.0 * rated_w / 3.0 / 230.0, 0, 65534), *words_of("h", -1)),
        *(NAN16, NAN16, NAN16, NAN16, NAN16),  # power factor in four quadrants, exponent
        *(NANU16, NAN16, NANU16, NAN16, NANU16, NAN16, NANU16, NAN16),  # Wh, Ah, charge, discharge with exponents
        NAN16,
    ]


def _status(state: State) -> int:
    if state.pv_w == 0.0:
        return SLEEPING
    return THROTTLED if state.pv_throttled else MPPT
