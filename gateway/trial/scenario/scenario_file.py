"""The scenario file: read once, checked whole, every mistake reported at once with its place.

title = "The battery takes almost nothing"
[run]
seconds = 120
[house.battery]
soc = 0.97
[[fault]]
kind = "BatteryTakesOnly"
at_s = 20
charge_w = 300
[[expect]]
quantity = "house.grid_w"
low = -100
after = 1
within_s = 5
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.mistakes import Mistake, MistakesError, choice, read_toml, shown, validated
from gateway.rig.toml_text import merged
from gateway.simulator.settings.config import HouseConfig
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.file import site_file
from gateway.site.file.site_file import SiteFile, SiteFileError
from gateway.trial.scenario.events import Runner
from gateway.trial.scenario.expectation import Expectation
from gateway.trial.scenario.happenings import Happening, fits_house, happening, unknown
from gateway.trial.scenario.quantities import quantities
from gateway.trial.scenario.tables import Like, placed, shipped
from gateway.wire.table import TableError

EXAMPLE = "hil_tests/scenarios/battery_tapers.toml"
KEYS = ("title", "title_fr", "faults", "run", "house", "site", "fault", "expect")
MOST_S = 7 * 86400.0
LISTED = 64  # faults in the list of `docs/faults.md`


def _naive(moment: datetime) -> datetime:
    if moment.tzinfo is not None or not 2000 <= moment.year <= 2099:
        raise ValueError("a local time without offset in the years 2000 to 2099, as 2024-06-21T12:05:00")
    return moment


class RunSection(BaseModel):
    """The `[run]` table. `like`: what house and site start from; `plan`: whether plans are made and followed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seconds: Annotated[float, Field(ge=1.0, le=MOST_S)]
    like: Like = "demo"
    start: Annotated[datetime, AfterValidator(_naive)] | None = None
    seed: int | None = None
    plan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario without mistakes; `house` and `site` are whole tables, `config` and `file` what they say."""

    path: Path
    title: Mapping[str, str]  # by language
    faults: Sequence[int]  # numbers of the list of faults that it shows
    run: RunSection
    house: Mapping[str, Any]
    site: Mapping[str, Any]
    config: HouseConfig
    file: SiteFile
    happenings: Sequence[Happening]
    expectations: Sequence[Expectation]


def read(path: Path, *, runner: Runner) -> Scenario:
    """The scenario at `path`, for this runner. Raises MistakesError with every mistake found."""
    raw = read_toml(path, example=EXAMPLE)
    if isinstance(raw, Mistake):
        raise MistakesError(path, [raw])
    mistakes: list[Mistake] = [unknown(key, key, KEYS) for key in raw if key not in KEYS]
    title = {"en": raw.get("title"), "fr": raw.get("title_fr", raw.get("title"))}
    mistakes += [
        Mistake(path=key, found=shown(raw.get(key)), allowed="a sentence in quotes")
        for key in ("title", *(("title_fr",) if "title_fr" in raw else ()))
        if not isinstance(raw.get(key), str) or not raw[key]
    ]
    run, found = validated(RunSection, raw.get("run", {}), at="run")
    mistakes += found
    numbers = _numbers(raw.get("faults", []), mistakes)
    happenings = [happening(row, f"fault[{i}]", runner, mistakes) for i, row in _rows(raw, "fault", mistakes)]
    expectations = [_expectation(row, f"expect[{i}]", mistakes) for i, row in _rows(raw, "expect", mistakes)]
    house, site = _merged(raw, run or RunSection(seconds=1), path, mistakes)
    config, file = _checked(house, site, path, mistakes)
    sound = [one for one in happenings if one is not None]
    wanted = [one for one in expectations if one is not None]
    if config is not None and file is not None:
        fits_house(config, happenings, mistakes)
        _known(quantities(config, file), expectations, len(happenings), mistakes)
    if runner == "virtual" and file is not None:
        mistakes += _heard_only(file)
    if mistakes or run is None or config is None or file is None:
        raise MistakesError(path, mistakes)
    return Scenario(
        path=path,
        title={language: str(words) for language, words in title.items()},
        faults=numbers,
        run=run,
        house=house,
        site=site,
        config=config,
        file=file,
        happenings=sound,
        expectations=wanted,
    )


def _merged(
    raw: Mapping[str, Any], run: RunSection, path: Path, mistakes: list[Mistake]
) -> tuple[dict[str, Any], dict[str, Any]]:
    changes = []
    for key in ("house", "site"):
        table = raw.get(key, {})
        if not isinstance(table, Mapping):
            mistakes.append(Mistake(path=key, found=shown(table), allowed=f"a table [{key}]"))
            table = {}
        changes.append(table)
    house, site = shipped(run.like)
    if "tariff" in changes[1]:  # whole or not at all: keys of one kind are mistakes of another
        site.pop("tariff", None)
    house, site = merged(house, changes[0]), merged(site, changes[1])
    if run.start is not None:
        house = merged(house, {"clock": {"start": run.start}})
    if run.seed is not None:
        house["seed"] = run.seed
    if not run.plan:  # without prices the plan of a gateway is the plain rule
        site.pop("tariff", None)
    return placed(_beside(house, path), site)


def _beside(house: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Recordings are named from where the scenario is."""
    files = {
        name: {"file": str((path.parent / table["file"]).absolute())}
        for name, table in house.items()
        if isinstance(table, Mapping) and isinstance(table.get("file"), str)
    }
    return merged(house, files)


def _checked(
    house: Mapping[str, Any], site: Mapping[str, Any], path: Path, mistakes: list[Mistake]
) -> tuple[HouseConfig | None, SiteFile | None]:
    config, found = validated(HouseConfig, house, at="house")
    mistakes += found
    try:
        file = site_file.checked(site, path)  # own profiles and price lists lie beside the scenario
        poll_tables(file)
    except SiteFileError as error:
        mistakes += [Mistake(path=f"site.{one.path}", found=one.found, allowed=one.allowed) for one in error.mistakes]
        return config, None
    except TableError as error:
        mistakes.append(Mistake(path="site.devices", found=str(error), allowed="devices that a node can serve"))
        return config, None
    return config, file


def _rows(raw: Mapping[str, Any], name: str, mistakes: list[Mistake]) -> list[tuple[int, Any]]:
    """The tables of a list, counted from 1 as people do."""
    rows = raw.get(name, [])
    if not isinstance(rows, list):
        mistakes.append(Mistake(path=name, found=shown(rows), allowed=f"tables [[{name}]], each with double brackets"))
        return []
    if name == "expect" and not rows:
        mistakes.append(Mistake(path=name, found="nothing", allowed="at least one table [[expect]]"))
    return list(enumerate(rows, start=1))


def _heard_only(file: SiteFile) -> list[Mistake]:
    """Buses that a twin does not have."""
    return [
        Mistake(
            path=f"site.nodes.{node}.buses.{name}",
            found='kind "tic"',
            allowed="a run without --virtual: in virtual time no telegram is heard",
        )
        for node, section in file.nodes.items()
        for name, bus in section.buses.items()
        if bus.kind == "tic"
    ]


def _expectation(row: Any, at: str, mistakes: list[Mistake]) -> Expectation | None:
    found, mine = validated(Expectation, row, at=at)
    keys = [field.alias or name for name, field in Expectation.model_fields.items()]
    for mistake in mine:
        key = mistake.path.removeprefix(f"{at}.")
        is_unknown = mistake.found == "a key that nothing reads"
        mistakes.append(unknown(mistake.path, key, keys) if is_unknown else mistake)
    return found


def _known(
    names: Sequence[str], expectations: Sequence[Expectation | None], faults: int, mistakes: list[Mistake]
) -> None:
    for i, one in enumerate(expectations, start=1):
        if one is None:
            continue
        for key, name in (("quantity", one.quantity), ("near", one.near)):
            if name is not None and name not in names:
                mistakes.append(Mistake(path=f"expect[{i}].{key}", found=shown(name), allowed=choice(name, names)))
        if one.after is not None and one.after > faults:
            allowed = f"the number of a [[fault]], 1 to {faults}" if faults else "nothing: there is no [[fault]]"
            mistakes.append(Mistake(path=f"expect[{i}].after", found=shown(one.after), allowed=allowed))


def _numbers(value: Any, mistakes: list[Mistake]) -> list[int]:
    """Numbers of the list of faults."""
    if isinstance(value, list) and all(type(one) is int and 1 <= one <= LISTED for one in value):
        return value
    allowed = f"numbers of the list of faults, as [18, 22]: 1 to {LISTED}"
    mistakes.append(Mistake(path="faults", found=shown(value), allowed=allowed))
    return []
