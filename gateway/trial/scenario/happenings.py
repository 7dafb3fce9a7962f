"""The `[[fault]]` tables: what goes wrong, and when; and whether house and runner can show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gateway.mistakes import Mistake, choice, mistakes_of, shown
from gateway.simulator.fault import Fault, Seconds
from gateway.simulator.faults import KINDS
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.settings.mistakes import HouseFileError
from gateway.simulator.simulation import Simulation
from gateway.trial.scenario.events import EVENTS, EVERYWHERE, Event, Runner

Kind = type[Fault | Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A `[[fault]]` table: what goes wrong, and when."""

    at_s: float
    what: Fault | Event

    @property
    def until_s(self) -> float | None:
        """When it is over; None: not before the end."""
        return None if self.what.for_s is None else self.at_s + self.what.for_s


def happening(row: Any, at: str, runner: Runner, mistakes: list[Mistake]) -> Happening | None:
    """What a table says, or None with its mistakes; `at` is its place."""
    if not isinstance(row, Mapping):
        mistakes.append(Mistake(path=at, found=shown(row), allowed="a table [[fault]]"))
        return None
    kinds: dict[str, Kind] = {**KINDS, **EVENTS}
    kind = kinds.get(str(row.get("kind")))
    if kind is None:
        allowed = choice(str(row.get("kind")), sorted(kinds))
        mistakes.append(Mistake(path=f"{at}.kind", found=shown(row.get("kind")), allowed=allowed))
        return None
    known = ["kind", "at_s", *(field.name for field in fields(kind))]
    found = [unknown(f"{at}.{key}", key, known) for key in row if key not in known]
    found += _not_here(kind, at, runner)
    at_s = row.get("at_s", 0.0)
    what: Fault | Event | None = None
    try:
        at_s = TypeAdapter(Seconds).validate_python(at_s)
    except ValidationError as error:
        found += mistakes_of(error, at=f"{at}.at_s")
    values = {key: value for key, value in row.items() if key in known and key not in ("kind", "at_s")}
    try:
        what = TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        found += mistakes_of(error, at=at)
    mistakes += found
    return None if found or what is None else Happening(at_s=at_s, what=what)


def _not_here(kind: Kind, at: str, runner: Runner) -> list[Mistake]:
    """What this runner cannot show, in plain words."""
    if runner in _runners(kind):
        return []
    allowed = {
        "virtual": "a run without --virtual: in virtual time there is no such part",
        "chain": "a run with --virtual: the programs on this machine cannot show it",
        "bench": "a run without --bench: on a bench nothing is started or stopped",
    }[runner]
    return [Mistake(path=f"{at}.kind", found=shown(kind.__name__), allowed=allowed)]


def _runners(kind: Kind) -> frozenset[Runner]:
    """Who can show it; telegrams are heard by real lines only."""
    if issubclass(kind, Event):
        return kind.runners
    telegram = kind.__name__.startswith("Telegram")
    return EVERYWHERE - {"virtual"} if telegram else EVERYWHERE


def fits_house(config: HouseConfig, happenings: Sequence[Happening | None], mistakes: list[Mistake]) -> None:
    """Faults of what the house does not have."""
    try:
        house = Simulation(config)
    except HouseFileError as error:
        mistakes += [Mistake(path=f"house.{one.path}", found=one.found, allowed=one.allowed) for one in error.mistakes]
        return
    for i, one in enumerate(happenings, start=1):
        if one is None:
            continue
        missing = {"CarPlugged": "car", "CarUnplugged": "car", "WaterDrawn": "tank"}.get(type(one.what).__name__)
        try:
            if isinstance(one.what, Fault):
                house.begin(one.what)
            elif missing is not None and missing not in house.loads.by_name:
                raise ValueError(f"there is no {missing} in this building")  # noqa: TRY301 - as the house says it
        except ValueError as error:
            found = f"{type(one.what).__name__}: {error}"
            mistakes.append(Mistake(path=f"fault[{i}]", found=found, allowed="a fault of what [house] has"))


def unknown(path: str, key: str, known: Sequence[str]) -> Mistake:
    """A key that no table has."""
    return Mistake(path=path, found="a key that nothing reads", allowed=choice(key, known))


def for_real_parts_only(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of these tables befalls something that virtual time does not have."""
    kinds: Mapping[str, Kind] = {**KINDS, **EVENTS}
    return any("virtual" not in _runners(kinds[str(row["kind"])]) for row in rows if row.get("kind") in kinds)
