"""What a profile says of one value: a register or a label of a telegram, with its scale, sign and range."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from gateway.wire.table import PERSONAL_LABELS

# name -> registers; a bit is one coil or discrete input
TYPES = {"int16": 1, "uint16": 1, "int32": 2, "uint32": 2, "float32": 2, "uint64": 4, "bit": 1}
COILS = ("coil", "discrete")

Type = Literal["int16", "uint16", "int32", "uint32", "float32", "uint64", "bit"]
Address = Annotated[int, Field(ge=0, le=65535)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


def _is_a_factor(scale: float) -> float:
    if scale == 0.0 or not math.isfinite(scale):
        raise ValueError("a factor other than 0")
    return scale


Scale = Annotated[float, AfterValidator(_is_a_factor)]  # with 0 every number would be 0


class Strict(BaseModel):
    """Frozen; unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _Value(Strict):
    """What a register and a label have in common: a number with its scale, sign and range.

    `identity`: it says which product this is; it is read as a proof, and not shown.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    scale: Scale = 1.0
    sign: Literal[1, -1] = 1
    every_s: Annotated[float, Field(ge=0.1, le=3600)]
    low: Finite
    high: Finite
    counter: bool = False
    identity: bool = False

    @model_validator(mode="after")
    def _range_has_two_ends(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"{self.name}: low is below high, not {self.low:g} and {self.high:g}")
        return self


class Point(_Value):
    """One value: `raw * scale * 10^raw(sf_address) * sign`; outside `low`..`high` it is absent.

    `address` is the 0-based wire address, or counts from the ID register of SunSpec model `model`. `codes` says what
    the numbers of a state mean and lists all that are known: raw 5 with {"5": 1} is 1, another raw is absent.
    `nan_means`: the value that is meant where a maker sends its pattern for "no value" while something is off.
    `within`: the only parts of `low`..`high` that are possible, each with both ends (numbers of products, for example).
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
    within: Annotated[tuple[tuple[float, float], ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _parts_are_of_the_range(self) -> "Point":
        for least, most in self.within or ():
            if not self.low <= least <= most <= self.high:
                raise ValueError(f"{self.name}: within has {least:g} to {most:g}, no part of the range")
        return self

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

    def allows(self, value: float) -> bool:
        """Whether the product can mean this value."""
        parts = self.within or ((self.low, self.high),)
        return any(least <= value <= most for least, most in parts)

    @property
    def span(self) -> tuple[int, int]:
        """First address and the one behind the last, including the exponent."""
        addresses = [self.address, self.address + self.count]
        if self.sf_address is not None:
            addresses += [self.sf_address, self.sf_address + 1]
        return min(addresses), max(addresses)


LabelName = Annotated[str, Field(pattern=r"^[A-Z0-9+-]{2,8}$")]


class Instead(Strict):
    """What stands for a label that a frame does not have: `scale` times the sum of other labels, if all are there.

    `unless`: a label (of the form text) that marks frames in which the missing one was damaged: nothing stands for it.
    """

    labels: Annotated[tuple[LabelName, ...], Field(min_length=1)]
    scale: float = 1.0
    unless: LabelName | None = None


class Label(_Value):
    """One group of a telegram. `value = (data - data of minus) * scale * sign`; outside `low`..`high` it is absent.

    `form` is how the data are written: decimal, hexadecimal (`bits` picks [first, count] of them), or a text of which
    `texts` lists all that are known. `one_sided`: the meter shows 0 while the power flows the other way, which it tells
    under the label `minus`, if at all; so 0 is no value unless that label is there. `optional`: some contracts do not
    have the label, and without it the point is not missed. `instead`: what stands for it where a frame lacks it.
    `unless`: a label (of the form text) beside which this one has another meaning, and is no value. `missing`: the
    value is 1 where the label is missing and 0 where it is not.
    """

    label: LabelName
    form: Literal["decimal", "hexadecimal", "text"] = "decimal"
    minus: LabelName | None = None
    instead: Instead | None = None
    unless: LabelName | None = None
    missing: bool = False
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
        if self.counter and (self.form != "decimal" or len(self.wire_labels) > 1):
            raise ValueError("a counter is one decimal label")
        if any(label in PERSONAL_LABELS for label, _ in self.wire_labels):
            raise ValueError("this label names a person")
        return self

    @property
    def wire_labels(self) -> tuple[tuple[str, str], ...]:
        """The labels it needs, each with its form on the wire."""
        form = "c" if self.counter else {"decimal": "d", "hexadecimal": "x", "text": "s"}[self.form]
        numbers = (self.minus, *(self.instead.labels if self.instead else ()))
        marks = (self.unless, self.instead.unless if self.instead else None)
        pairs = [(self.label, form), *((label, "d") for label in numbers), *((label, "s") for label in marks)]
        return tuple((label, kind) for label, kind in dict.fromkeys(pairs) if label is not None)


def _kind_of_point(value: Any) -> str:
    if isinstance(value, dict):
        return "label" if "label" in value else "register"
    return "label" if isinstance(value, Label) else "register"


AnyPoint = Annotated[Annotated[Point, Tag("register")] | Annotated[Label, Tag("label")], Discriminator(_kind_of_point)]
