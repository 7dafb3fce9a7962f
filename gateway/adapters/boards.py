"""Boards that a node can run on: `config/boards.json`, checked against what each chip allows on its pins.

The chip's rules are from its datasheet: ESP32, sections 2.2 and 2.4; ESP32-S3, sections 2.3 and 3.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.mistakes import Mistake, MistakesError, validated
from gateway.paths import config_folder

Gpio = Annotated[int, Field(ge=0, le=48)]
WATCHDOG_MS = 8000  # all jobs check in once a second; a name that nobody knows blocks for 5 s
RMII = (19, 21, 22, 25, 26, 27)  # data pins of the ESP32's own Ethernet MAC: fixed (technical reference manual, EMAC)


class BoardsError(MistakesError):
    """All mistakes of the table of boards."""


class _BoardPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Rs485(_BoardPart):
    """A UART and its transceiver; `de` None: the transceiver finds its direction itself."""

    uart: Literal[1, 2]  # 0 is the console
    tx: Gpio
    rx: Gpio
    de: Gpio | None


class Tic(_BoardPart):
    """A UART that only listens. `tx` stays unconnected: the interpreter gives every UART one, and ours harms nobody."""

    uart: Literal[1, 2]
    rx: Gpio
    tx: Gpio


class Lan8720(_BoardPart):
    """At the chip's own MAC; `power` switches its clock or supply, `clock` takes the 50 MHz."""

    phy: Literal["LAN8720"]
    addr: Annotated[int, Field(ge=0, le=31)]
    mdc: Gpio
    mdio: Gpio
    power: Gpio | None
    clock: Literal[0]


class W5500(_BoardPart):
    """At an SPI bus."""

    phy: Literal["W5500"]
    addr: Annotated[int, Field(ge=0, le=31)]
    spi: Literal[1, 2]
    sck: Gpio
    mosi: Gpio
    miso: Gpio
    cs: Gpio
    interrupt: Annotated[Gpio, Field(alias="int")]
    reset: Gpio | None


class Image(_BoardPart):
    """The interpreter: its name in the MicroPython downloads, the oldest version that serves, where it is flashed.

    `ota`: it has two partitions for itself and can be updated over the air.
    """

    name: Annotated[str, Field(pattern=r"^[A-Z0-9_]+(-[A-Z0-9_]+)?$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    offset: Literal[0, 4096]
    ota: bool


class Board(_BoardPart):
    """One product, or one wiring of it."""

    title: str
    chip: Literal["esp32", "esp32s3"]  # as esptool calls it
    psram: Literal["none", "quad", "octal"]
    flash_mb: Literal[4, 8, 16]
    image: Image
    rs485: Rs485
    tic: Tic | None
    led: Gpio | None
    button: Gpio | None
    eth: Annotated[Lan8720 | W5500, Field(discriminator="phy")] | None
    ring_bytes: Annotated[int, Field(ge=1000)]
    spill_kb: Annotated[int, Field(ge=0)]
    notes: tuple[str, ...] = ()
    sources: Annotated[tuple[str, ...], Field(min_length=1)]

    def node_rows(self) -> dict[str, Any]:
        """What goes into a node's `node.json`; what the board does not have is left out."""
        serial = {"rs485": _present(self.rs485)} | ({"tic": _present(self.tic)} if self.tic else {})
        rows = {"serial": serial, "ring_bytes": self.ring_bytes, "spill_kb": self.spill_kb, "watchdog_ms": WATCHDOG_MS}
        if self.eth:
            rows["eth"] = _present(self.eth)
        return rows | {name: pin for name, pin in (("led", self.led), ("button", self.button)) if pin is not None}

    def pins(self) -> Iterator[tuple[str, int]]:
        """(place, pin) of everything that is wired, such as ("rs485.tx", 17)."""
        for name in ("rs485", "tic", "eth"):
            part = getattr(self, name)
            if part is not None:
                for field, pin in _present(part).items():
                    if field not in ("uart", "spi", "addr", "phy"):
                        yield f"{name}.{field}", pin
        for name in ("led", "button"):
            if getattr(self, name) is not None:
                yield name, getattr(self, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chip:
    """What a chip's pins are taken for; `psram` by its kind."""

    there: frozenset[int]
    flash: frozenset[int]
    psram: Mapping[str, frozenset[int]]
    usb: frozenset[int]
    console: frozenset[int]
    strapping: frozenset[int]
    input_only: frozenset[int]
    offset: int  # of the boot loader
    phys: tuple[str, ...]


def _pins(*parts: int | range) -> frozenset[int]:
    return frozenset(pin for part in parts for pin in (part if isinstance(part, range) else (part,)))


CHIPS = {
    "esp32": _Chip(
        there=_pins(range(20), range(21, 24), range(25, 28), range(32, 40)),
        flash=_pins(range(6, 12)),
        psram={"none": _pins(), "quad": _pins(16, 17)},
        usb=_pins(),
        console=_pins(1, 3),
        strapping=_pins(0, 2, 5, 12, 15),
        input_only=_pins(range(34, 40)),
        offset=4096,
        phys=("LAN8720", "W5500"),
    ),
    "esp32s3": _Chip(
        there=_pins(range(22), range(26, 49)),
        flash=_pins(range(26, 33)),
        psram={"none": _pins(), "quad": _pins(), "octal": _pins(range(33, 38))},
        usb=_pins(19, 20),
        console=_pins(43, 44),
        strapping=_pins(0, 3, 45, 46),
        input_only=_pins(),
        offset=0,
        phys=("W5500",),  # it has no MAC of its own
    ),
}
# The strapping pins that may be wired all the same, and why the level at the start is right.
STRAPPED = {
    "button": (0,),  # pressed by nobody at the start, or on purpose: it is the BOOT button
    "eth.clock": (0,),  # silent until `power` is on
    "tic.tx": tuple(range(49)),  # unconnected
}
LISTENING = ("rs485.rx", "tic.rx", "eth.miso", "eth.int", "eth.clock")


def load(path: Path | None = None) -> Mapping[str, Board]:
    """The boards by name, from `path` or `config/boards.json`. Raises BoardsError with every mistake."""
    path = path or config_folder() / "boards.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BoardsError(
            path, [Mistake(path=str(path), found=error.strerror or "no file", allowed="a file")]
        ) from error
    except (ValueError, RecursionError) as error:
        found = Mistake(path=str(path), found=f"text that is not JSON: {error}", allowed="a JSON file")
        raise BoardsError(path, [found]) from error
    if not isinstance(raw, dict) or raw.get("schema") != "zev-boards/1" or not isinstance(raw.get("boards"), dict):
        allowed = '{"schema": "zev-boards/1", "boards": {name: board}}'
        raise BoardsError(path, [Mistake(path="file", found="something else", allowed=allowed)])
    boards: dict[str, Board] = {}
    mistakes: list[Mistake] = []
    for name, row in raw["boards"].items():
        board, wrong = validated(Board, row, at=f"boards.{name}")
        mistakes += wrong
        if board is not None:
            mistakes += [_at(name, *one) for one in check(board)]
            boards[name] = board
    if mistakes:
        raise BoardsError(path, mistakes)
    return boards


def check(board: Board) -> Iterator[tuple[str, str, str]]:
    """(place, what is there, what may be) of everything that the chip does not allow."""
    chip = CHIPS[board.chip]
    if board.psram not in chip.psram:
        yield "psram", board.psram, " or ".join(chip.psram)
    if board.image.offset != chip.offset:
        yield "image.offset", str(board.image.offset), f"{chip.offset}: where the boot loader of an {board.chip} lies"
    if board.eth and board.eth.phy not in chip.phys:
        yield "eth.phy", board.eth.phy, f"{' or '.join(chip.phys)} on an {board.chip}"
    if board.tic and board.tic.uart == board.rs485.uart:
        yield "tic.uart", str(board.tic.uart), "a UART of its own: the other one of 1 and 2"
    taken = dict.fromkeys(RMII, "the Ethernet MAC") if isinstance(board.eth, Lan8720) else {}
    for place, pin in board.pins():
        rule = _rule(chip, board.psram, place, pin)
        if rule:
            yield place, f"GPIO {pin}", rule
        if pin in taken:
            yield place, f"GPIO {pin}, which {taken[pin]} has", "a pin that is free"
        taken[pin] = place


def _rule(chip: _Chip, psram: str, place: str, pin: int) -> str:
    """What a place may have in the place of this pin; "" when the pin is right."""
    owners = (
        (chip.flash, "the flash's"),
        (chip.psram.get(psram, _pins()), "the PSRAM's"),
        (chip.usb, "USB's"),
        (chip.console, "the console's (UART 0)"),
    )
    if pin not in chip.there:
        return "a pin that the chip has"
    for pins, owner in owners:
        if pin in pins:
            return f"a pin that is not {owner}; those are {_listed(pins)}"
    if pin in chip.strapping and pin not in STRAPPED.get(place, ()):
        return f"a pin that does not decide how the chip starts; those are {_listed(chip.strapping)}"
    if pin in chip.input_only and place not in LISTENING:
        return f"a pin that can drive and pull up; {_listed(chip.input_only)} only listen"
    return ""


def _at(name: str, place: str, found: str, allowed: str) -> Mistake:
    return Mistake(path=f"boards.{name}.{place}", found=found, allowed=allowed)


def _listed(pins: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(pins)))


def _present(part: BaseModel) -> dict[str, Any]:
    """The fields that have a value, as they are called in the file."""
    return part.model_dump(by_alias=True, exclude_none=True)
