"""Device profiles: `config/devices/*.json`, one product each, checked whole before anything uses them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from gateway.places import config_folder
from gateway.wire.table import GAP_LIMIT_MS, MAX_BUDGET, MAX_COILS, PERSONAL_LABELS, TIMEOUT_LIMIT_MS

# name -> registers; a bit is one coil or discrete input
TYPES = {"int16": 1, "uint16": 1, "int32": 2, "uint32": 2, "float32": 2, "uint64": 4, "bit": 1}
COILS = ("coil", "discrete")

Role = Literal["grid", "pv", "battery", "load"]
Type = Literal["int16", "uint16", "int32", "uint32", "float32", "uint64", "bit"]
Number = Literal["int16", "uint16", "int32", "uint32"]
SetpointUnit = Literal["W", "A", "share", "switch"]
Address = Annotated[int, Field(ge=0, le=65535)]


class ProfileError(ValueError):
    """A profile that cannot be used: says the file, the place in it and what is wrong there."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Value(_Strict):
    """What a register and a label have in common: a number with its scale, sign and range."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    scale: float = 1.0
    sign: Literal[1, -1] = 1
    every_s: Annotated[float, Field(ge=0.1, le=3600)]
    low: float
    high: float
    counter: bool = False


class Point(_Value):
    """One value: `raw * scale * 10^raw(sf_address) * sign`; outside `low`..`high` it is absent.

    `address` is the 0-based wire address, or counts from the ID register of SunSpec model `model`. `codes` says what
    the numbers of a state mean and lists all that are known: raw 5 with {"5": 1} is 1, another raw is absent.
    `nan_means` is for makers who say with their pattern for "no value" that something is off and what its value is.
    """

    address: Address
    model: Annotated[int, Field(ge=1, le=65534)] | None = None
    table: Literal["holding", "input", "coil", "discrete"] = "holding"
    type: Type
    word_order: Literal["big", "little"] | None = None
    sf_address: Address | None = None
    nan: Annotated[str, Field(pattern=r"^0x[0-9A-Fa-f]+$")] | None = None
    nan_means: float | None = None
    codes: Annotated[Mapping[int, int], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _nan_has_a_pattern(self) -> "Point":
        if self.nan_means is not None and (self.nan is None or not self.low <= self.nan_means <= self.high):
            raise ValueError(f"{self.name}: nan_means is for a point with nan, from {self.low:g} to {self.high:g}")
        return self

    @model_validator(mode="after")
    def _codes_are_of_a_state(self) -> "Point":
        measured = self.type in ("float32", "bit") or self.counter or self.sf_address is not None
        if self.codes is not None and (measured or (self.scale, self.sign) != (1.0, 1)):
            raise ValueError(f"{self.name}: codes are for whole numbers without scale, sign and exponent, not counters")
        for number in (self.codes or {}).values():
            if not self.low <= number <= self.high:
                raise ValueError(f"{self.name}: the code for {number} is outside {self.low:g} to {self.high:g}")
        return self

    @model_validator(mode="after")
    def _type_fits_its_table(self) -> "Point":
        coil = self.table in COILS
        if coil != (self.type == "bit"):
            raise ValueError(f"{self.name}: type bit and the tables coil and discrete go together")
        if coil and (self.model or self.sf_address is not None):
            raise ValueError(f"{self.name}: a coil has neither a SunSpec model nor an exponent")
        return self

    @property
    def count(self) -> int:
        """Registers (or coils) of the value itself."""
        return TYPES[self.type]

    @property
    def span(self) -> tuple[int, int]:
        """First address and the one behind the last, including the exponent."""
        addresses = [self.address, self.address + self.count]
        if self.sf_address is not None:
            addresses += [self.sf_address, self.sf_address + 1]
        return min(addresses), max(addresses)


class Label(_Value):
    """One group of a telegram. `value = (data - data of minus) * scale * sign`; outside `low`..`high` it is absent.

    `form` is how the data are written: decimal, hexadecimal (`bits` picks [first, count] of them), or a text of which
    `texts` lists all that are known. `one_sided`: the meter shows 0 while the power flows the other way, which it tells
    under the label `minus`, if at all; so 0 is no value unless that label is there. `optional`: some contracts do not
    have the label, and without it the point is not missed.
    """

    label: Annotated[str, Field(pattern=r"^[A-Z0-9+-]{2,8}$")]
    form: Literal["decimal", "hexadecimal", "text"] = "decimal"
    minus: Annotated[str, Field(pattern=r"^[A-Z0-9+-]{2,8}$")] | None = None
    one_sided: bool = False
    bits: tuple[Annotated[int, Field(ge=0, le=31)], Annotated[int, Field(ge=1, le=32)]] | None = None
    texts: Mapping[Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,4}$")], int] | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _form_fits(self) -> "Label":
        if (self.form == "text") != (self.texts is not None):
            raise ValueError("texts = {...} for the form text, and only there")
        if self.bits is not None and self.form != "hexadecimal":
            raise ValueError("bits can be picked from hexadecimal data only")
        if self.counter and (self.form != "decimal" or self.minus):
            raise ValueError("a counter is one decimal label")
        if self.label in PERSONAL_LABELS or self.minus in PERSONAL_LABELS:
            raise ValueError("this label names a person")
        return self

    @property
    def wanted(self) -> tuple[tuple[str, str], ...]:
        """The labels it needs, each with its form on the wire."""
        form = "c" if self.counter else {"decimal": "d", "hexadecimal": "x", "text": "s"}[self.form]
        return ((self.label, form), *(((self.minus, "d"),) if self.minus else ()))


def _kind_of_point(value: Any) -> str:
    if isinstance(value, dict):
        return "label" if "label" in value else "register"
    return "label" if isinstance(value, Label) else "register"


AnyPoint = Annotated[Annotated[Point, Tag("register")] | Annotated[Label, Tag("label")], Discriminator(_kind_of_point)]


class ReadBack(_Strict):
    """Where the product shows what was written, when it is not the place of writing."""

    address: Address
    table: Literal["holding", "input"] = "holding"


class _Written(_Strict):
    """`write_only`: why it cannot be read back (the product refuses, it counts down, ...); else it is, at `read_at`."""

    address: Address
    read_at: ReadBack | None = None
    write_only: Annotated[str, Field(min_length=1)] | None = None


class Write(_Written):
    """A fixed value to write. It is read back from its own address, unless `read_at` or `write_only` say otherwise."""

    type: Number
    value: int


class Target(_Written):
    """Where a power set-point is written, and in what: raw = value / (scale * sign). Read back as a Write.

    `unit` of the value: "W"; "A" for amperes of each phase, power / (230 V * phases); "share" for a fraction of the
    rated power; "switch" for a register that holds `on`, or `off` when the power is 0.
    """

    type: Number
    scale: float = 1.0
    sign: Literal[1, -1] = 1
    unit: SetpointUnit = "W"
    on: int | None = None
    off: int | None = None

    @model_validator(mode="after")
    def _switch_has_its_values(self) -> "Target":
        given = self.on is not None, self.off is not None
        if given != (self.unit == "switch",) * 2:
            raise ValueError("on and off are both for the unit switch, and needed there")
        if self.unit == "switch" and self.on == self.off:
            raise ValueError("on and off are the same")
        if self.unit == "switch" and (self.scale, self.sign) != (1.0, 1):
            raise ValueError("a switch has neither scale nor sign")
        return self


class Setpoint(_Strict):
    """How the product is commanded: `arm` first, then the value, then `go`; `safe` gives it back its own mode.

    Registers that the product keeps through a power cut (`volatile` false) wear out: they have `writes_per_day`, are
    written only on a change and not more often than every `min_write_s`, and must be readable.
    """

    point: Target
    arm: tuple[Write, ...] = ()
    go: tuple[Write, ...] = ()
    safe: tuple[Write, ...]
    volatile: bool
    writes_per_day: Annotated[int, Field(ge=2, le=MAX_BUDGET)] | None = None
    min_write_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    device_timeout_s: Annotated[float, Field(ge=2, le=3600)] | None

    @property
    def registers(self) -> tuple[Write | Target, ...]:
        """All that is written."""
        return (*self.arm, self.point, *self.go, *self.safe)

    @model_validator(mode="after")
    def _fits_together(self) -> "Setpoint":
        if self.volatile != (self.writes_per_day is None):
            raise ValueError("writes_per_day is for registers that are not volatile, and needed there")
        if not self.volatile and (self.min_write_s < 1 or self.device_timeout_s is not None):
            raise ValueError("registers that are not volatile need min_write_s of 1 or more and no device_timeout_s")
        if not self.volatile and any(register.write_only for register in self.registers):
            raise ValueError("registers that are not volatile are written only on a change: they must be readable")
        if self.device_timeout_s is not None and self.min_write_s > self.device_timeout_s / 2:
            raise ValueError("min_write_s is longer than half of device_timeout_s: the set-point would lapse")
        ways: dict[int, tuple[object, bool]] = {}
        for register in self.registers:
            way = (register.read_at, register.write_only is not None)
            if ways.setdefault(register.address, way) != way:
                raise ValueError(f"register {register.address} is read back in two ways")
        return self


class RtuLink(_Strict):
    """Factory settings of the serial side."""

    unit: Annotated[int, Field(ge=1, le=247)]
    baud: int
    parity: Literal["N", "E", "O"]
    stop_bits: Literal[1, 2]


class TcpLink(_Strict):
    """Factory settings of the network side."""

    unit: Annotated[int, Field(ge=0, le=255)]
    port: Annotated[int, Field(ge=1, le=65535)]


class TicLink(_Strict):
    """The customer telegram: speed and form are found by listening."""


class Links(_Strict):
    """How the product can be reached."""

    rtu: RtuLink | None = None
    tcp: TcpLink | None = None
    tic: TicLink | None = None


class Profile(_Strict):
    """One product: its points, its limits and how it is commanded.

    In one exchange it is asked for `max_registers` at most, with `even_reads` only for even numbers of registers from
    even addresses. Between two exchanges with it lie `gap_ms` at least, while others on its bus may be asked; after
    each, the whole bus is left alone for `turnaround_ms`, for a product that lets go of the line late.
    `write_function` 5 and 15 write coils, as numbers 0 and 1 of type uint16.

    `merge_gap`: so many registers between two points may be read in vain to save a request; 0 where a read that touches
    a register the product does not have fails as a whole, which is the rule. `proof` names a point whose range no wrong
    address or word order would hit by chance (the mains frequency): until it has been read and fits, no other value of
    the device is believed. A telegram needs none of this: it comes by itself, and each of its groups has a checksum.
    """

    schema_: Literal["zev-profile/1"] = Field(alias="schema")
    id: str
    title: str
    roles: tuple[Role, ...]
    links: Links
    word_order: Literal["big", "little"] = "big"
    max_registers: Annotated[int, Field(ge=2, le=125)] = 125
    even_reads: bool = False
    merge_gap: Annotated[int, Field(ge=0, le=60)] = 0
    gap_ms: Annotated[int, Field(ge=0, le=GAP_LIMIT_MS)] = 0
    turnaround_ms: Annotated[int, Field(ge=0, le=1000)] = 0
    reply_timeout_ms: Annotated[int, Field(ge=50, le=TIMEOUT_LIMIT_MS)] | None = None
    write_function: Literal[5, 6, 15, 16, 23] = 16
    proof: str | None = None
    points: tuple[AnyPoint, ...]
    setpoint: Setpoint | None = None
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...]

    @model_validator(mode="after")
    def _names_fit(self) -> "Profile":
        names = [point.name for point in self.points]
        if len(names) != len(set(names)):
            raise ValueError("two points have the same name")
        if self.proof is not None and self.proof not in names:
            raise ValueError(f"proof names {self.proof!r}, which is no point")
        for point in self.registers:
            first, end = self.reach([point])
            if end - first > self.most(point.table):
                raise ValueError(f"{point.name} with its exponent needs {end - first} registers in one read")
        return self

    @model_validator(mode="after")
    def _link_fits(self) -> "Profile":
        """A telegram has labels and is only heard; everything else has registers, a proof and a time to answer."""
        labels = [isinstance(point, Label) for point in self.points]
        if self.links.tic is None:
            for name in ("proof", "reply_timeout_ms"):
                if getattr(self, name) is None:
                    raise ValueError(f"{name} is needed: only a telegram can do without")
            if any(labels):
                raise ValueError("labels are for a product with the link tic")
            return self
        registers_only = {"max_registers", "even_reads", "merge_gap", "gap_ms", "turnaround_ms", "reply_timeout_ms"}
        registers_only |= {"write_function", "proof", "setpoint", "word_order"}
        needless = sorted(self.model_fields_set & registers_only)
        if needless:
            raise ValueError(f"a telegram has no {', '.join(needless)}")
        if self.links.rtu or self.links.tcp or not all(labels):
            raise ValueError("a telegram has labels only, and no other link")
        return self

    def reach(self, points: Sequence[Point]) -> tuple[int, int]:
        """First address of one read of all these points, and the one behind its last."""
        first, end = min(p.span[0] for p in points), max(p.span[1] for p in points)
        if self.even_reads and points[0].table not in COILS:
            first, end = first - first % 2, end + end % 2
        return first, end

    def most(self, table: str) -> int:
        """Registers or coils of one read at most."""
        return min(16 * self.max_registers, MAX_COILS) if table in COILS else self.max_registers

    @property
    def registers(self) -> tuple[Point, ...]:
        """The points that are read; none of a telegram."""
        return tuple(point for point in self.points if isinstance(point, Point))

    def point(self, name: str) -> Point | Label | None:
        """The point of that name."""
        return next((point for point in self.points if point.name == name), None)


def load(path: Path) -> Profile:
    """The profile in a file. Raises ProfileError."""
    try:
        profile = Profile.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ProfileError(f"{path}: {place}: {first['msg']}, found {first['input']!r}") from error
    except (ValueError, RecursionError) as error:  # JSONDecodeError and UnicodeDecodeError among them
        raise ProfileError(f"{path}: not JSON: {error}") from error
    if profile.id != path.stem:
        raise ProfileError(f"{path}: id is {profile.id!r}, but the file is called {path.stem!r}")
    return profile


def find(name: str, beside: Path) -> Profile:
    """The profile called `name`: beside the site file (`devices/NAME.json`) first, then the shipped ones."""
    own = beside / "devices" / f"{name}.json"
    return load(own if own.exists() else config_folder() / "devices" / f"{name}.json")


def names(beside: Path) -> list[str]:
    """All profiles that a site file in that folder can name."""
    folders = (config_folder() / "devices", beside / "devices")
    return sorted({path.stem for folder in folders for path in folder.glob("*.json")})
