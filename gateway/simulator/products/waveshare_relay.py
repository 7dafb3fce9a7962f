"""Coils and registers of a Waveshare Modbus RTU Relay with eight relays.

Source: Waveshare wiki, Modbus RTU Relay, Development Protocol V3. Relays 1 to 8 are coils 0 to 7 (functions 1, 5 and
15); coil 0x00FF is all of them, to be written only. 0x4000 is its address, 0x8000 its version times 100 (function 3).
"""

from collections.abc import Callable, Sequence

from gateway.simulator.products.registers import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    READ_COILS,
    READ_HOLDING,
    WRITE_COIL,
    WRITE_COILS,
    Refused,
    coil_words,
)

RELAYS = 8
ALL_RELAYS = 0x00FF
UNIT, VERSION = 0x4000, 0x8000
V2_00 = 200


class WaveshareRelay:
    """The board: `is_on` of each relay; all are off when it gets its power. `relay_1` gets the state of relay 1."""

    def __init__(self, *, unit: int = 1, relay_1: Callable[[bool], None] = lambda _is_on: None) -> None:
        self.is_on = [False] * RELAYS
        self.writes = 0
        self._relay_1 = relay_1
        self._registers = {UNIT: unit, VERSION: V2_00}

    def read(self, function: int, address: int, count: int) -> list[int]:
        """Relays, as coils packed into registers, or one of the two settings."""
        if function == READ_COILS:
            if not 0 < count <= RELAYS - address:
                raise Refused(ILLEGAL_ADDRESS)
            return coil_words(self.is_on[address : address + count])
        if function != READ_HOLDING:
            raise Refused(ILLEGAL_FUNCTION)
        if count != 1 or address not in self._registers:
            raise Refused(ILLEGAL_ADDRESS)
        return [self._registers[address]]

    def write(self, function: int, address: int, words: Sequence[int]) -> None:
        """Switch one relay, all of them, or some beside each other; a coil is 0 or 1."""
        if function not in (WRITE_COIL, WRITE_COILS):
            raise Refused(ILLEGAL_FUNCTION)
        if any(word not in (0, 1) for word in words):
            raise Refused(ILLEGAL_VALUE)
        if function == WRITE_COIL and address == ALL_RELAYS:
            address, words = 0, [words[0]] * RELAYS
        if address + len(words) > RELAYS:
            raise Refused(ILLEGAL_ADDRESS)
        self.is_on[address : address + len(words)] = [bool(word) for word in words]
        self.writes += 1
        self._relay_1(self.is_on[0])
