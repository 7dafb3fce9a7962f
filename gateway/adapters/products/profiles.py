"""Device profiles: `config/devices/*.json`, one product each, checked whole before anything uses them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from gateway.adapters.products.commands import Setpoint
from gateway.adapters.products.points import COILS, AnyPoint, Label, Point, Strict
from gateway.paths import config_folder
from gateway.wire.table import GAP_LIMIT_MS, MAX_COILS, TIMEOUT_LIMIT_MS

Role = Literal["grid", "pv", "battery", "load"]


class ProfileError(ValueError):
    """A profile that cannot be used: says the file, the place in it and what is wrong there."""


class RtuLink(Strict):
    """Factory settings of the serial side."""

    unit: Annotated[int, Field(ge=1, le=247)]
    baud: int
    parity: Literal["N", "E", "O"]
    stop_bits: Literal[1, 2]


class TcpLink(Strict):
    """Factory settings of the network side.

    `lenient`: it answers under other transaction numbers or units than asked.
    """

    unit: Annotated[int, Field(ge=0, le=255)]
    port: Annotated[int, Field(ge=1, le=65535)]
    lenient: bool = False


class TicLink(Strict):
    """The customer telegram: speed and form are found by listening."""


class Links(Strict):
    """How the product can be reached."""

    rtu: RtuLink | None = None
    tcp: TcpLink | None = None
    tic: TicLink | None = None


class Proof(Strict):
    """A point that proves the product with a value from `low` to `high`; without them, with any that it may have."""

    point: str
    low: float | None = None
    high: float | None = None

    def holds(self, value: float) -> bool:
        """Whether this value of the point proves the product."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


class Profile(Strict):
    """One product: its points, its limits and how it is commanded.

    In one exchange it is asked for `max_registers` at most, with `even_reads` only for even numbers of registers from
    even addresses. Between two exchanges with it lie `gap_ms` at least, while others on its bus may be asked; after
    each, the whole bus is left alone for `turnaround_ms`, for a product that lets go of the line late.
    `write_function` 5 and 15 write coils, as numbers 0 and 1 of type uint16.

    `merge_gap`: so many registers between two points may be read in vain to save a request; 0 where a read that touches
    a register the product does not have fails as a whole, which is the rule. `proof` names a point whose range no wrong
    address or word order would hit by chance (the mains frequency): until it has been read and fits, no other value of
    the device is believed. A proof must hold in every state of a sound device: at rest, at night, in a fault, while it
    cools. Where no single point does, `proofs` are further ones, each as good as the first. A telegram needs none of
    this: it comes by itself, and each of its groups has a checksum.
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
    proofs: tuple[Proof, ...] = ()
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
            for proof in self.proofs:
                if self.point(proof.point) is None:
                    raise ValueError(f"proofs names {proof.point!r}, which is no point")
            return self
        registers_only = {"max_registers", "even_reads", "merge_gap", "gap_ms", "turnaround_ms", "reply_timeout_ms"}
        registers_only |= {"write_function", "proof", "setpoint", "word_order"}
        needless = sorted(self.model_fields_set & registers_only)
        if self.proofs and not needless:
            needless = ["proofs"]
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

    @property
    def all_proofs(self) -> tuple[Proof, ...]:
        """What proves the product; none of a telegram."""
        return (*((Proof(point=self.proof),) if self.proof else ()), *self.proofs)

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
