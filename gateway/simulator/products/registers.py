"""What all simulated devices have in common: a map of 16-bit registers that answers or refuses."""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

# Exception codes of the Modbus Application Protocol 1.1b3, chapter 7.
ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3

READ_COILS = 1
READ_HOLDING = 3
READ_INPUT = 4
WRITE_COIL = 5
WRITE_ONE = 6
WRITE_COILS = 15
WRITE_MANY = 16


class Refused(Exception):  # noqa: N818 - the device refuses: an answer, not a failure of ours
    """The device answers with this exception code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"exception {code}")


class RegisterMap(Protocol):
    """The registers of one unit; addresses as on the wire, from 0. Refuses with Refused."""

    def read(self, function: int, address: int, count: int) -> list[int]:
        """Exactly `count` registers from `address`; so many coils come packed as `coil_words` says."""


@runtime_checkable
class Writable(Protocol):
    """A register map that can also be written; one that is none answers writes with ILLEGAL_FUNCTION."""

    def write(self, function: int, address: int, words: Sequence[int]) -> None:
        """Take the words from `address` on."""


class ReadableWritable(RegisterMap, Writable, Protocol):
    """A register map that can be written, too."""


class RefusesWrites:
    """A writable map that now and then answers all writes with an exception: `refusal` gives its code, or None."""

    def __init__(self, registers: ReadableWritable, refusal: Callable[[], int | None]) -> None:
        self._registers = registers
        self._refusal = refusal

    def read(self, function: int, address: int, count: int) -> list[int]:
        """As the map answers."""
        return self._registers.read(function, address, count)

    def write(self, function: int, address: int, words: Sequence[int]) -> None:
        """As the map takes it, unless it refuses."""
        refusal = self._refusal()
        if refusal is not None:
            raise Refused(refusal)
        self._registers.write(function, address, words)


class SpoilsReads:
    """A map whose answers may be spoiled: `spoil` is given the address and the words of each."""

    def __init__(self, registers: RegisterMap, spoil: Callable[[int, list[int]], list[int]]) -> None:
        self._registers = registers
        self._spoil = spoil

    def read(self, function: int, address: int, count: int) -> list[int]:
        """As the map answers, and then as it is spoiled."""
        return self._spoil(address, self._registers.read(function, address, count))

    def write(self, function: int, address: int, words: Sequence[int]) -> None:
        """As the map takes it, if it does."""
        if not isinstance(self._registers, Writable):
            raise Refused(ILLEGAL_FUNCTION)
        self._registers.write(function, address, words)


class ReportsWrites:
    """A writable map that reports what it took: `report` is called with the address and the words."""

    def __init__(self, registers: ReadableWritable, report: Callable[[int, Sequence[int]], None]) -> None:
        self._registers = registers
        self._report = report

    def read(self, function: int, address: int, count: int) -> list[int]:
        """As the map answers."""
        return self._registers.read(function, address, count)

    def write(self, function: int, address: int, words: Sequence[int]) -> None:
        """As the map takes it; what it refuses is not reported."""
        self._registers.write(function, address, words)
        self._report(address, words)


def words_of(form: str, *values: float) -> list[int]:
    """Big-endian registers of values; `form` as in `struct`, without the byte order."""
    data = struct.pack(">" + form, *values)
    return list(struct.unpack(f">{len(data) // 2}H", data))


def point_words(form: str, value: int) -> list[int]:
    """Registers of one whole number; a number beyond its format is shown as the nearest that fits."""
    bits = 8 * struct.calcsize(">" + form)
    low, high = (0, 2**bits - 1) if form.isupper() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return words_of(form, min(max(value, low), high))


def whole_points(places: Mapping[str, tuple[int, str]], address: int, count: int) -> list[str]:
    """The points that exactly fill a read, in their order; `places` are name -> (address, form).

    Refuses an address without a point and half of one.
    """
    by_address = {place: name for name, (place, _) in places.items()}
    names, end = [], address
    while end < address + count:
        if end not in by_address:
            raise Refused(ILLEGAL_ADDRESS)
        names.append(by_address[end])
        end += struct.calcsize(">" + places[names[-1]][1]) // 2
    if end != address + count:
        raise Refused(ILLEGAL_ADDRESS)
    return names


def coil_words(coils: Sequence[bool]) -> list[int]:
    """Coils packed as in the answer to a read: coil i is bit i % 8 of byte i / 8; two bytes make a register."""
    data = bytearray((len(coils) + 15) // 16 * 2)
    for i, coil in enumerate(coils):
        data[i // 8] |= coil << i % 8
    return list(struct.unpack(f">{len(data) // 2}H", data))


def text_words(text: str, count: int) -> list[int]:
    """ASCII text in so many registers, filled up with zero."""
    return list(struct.unpack(f">{count}H", text.encode("ascii").ljust(2 * count, b"\0")[: 2 * count]))


def whole(value: float, low: int, high: int) -> int:
    """The nearest whole number inside the range that a register can hold."""
    return min(max(round(value), low), high)
