"""Writes the tables of docs/reference from the code that uses them. `--check` only tells whether they are current."""

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.adapters import boards, tariffs
from gateway.adapters.node import batches
from gateway.adapters.products import commands, points, profiles
from gateway.core.control import arbiter, curtailment, level_rule, limits, load_memory, trust_rules
from gateway.paths import config_folder, firmware_folder
from gateway.simulator import faults
from gateway.simulator.settings import config as house_file
from gateway.simulator.settings import flexible
from gateway.site.file import load_sections, price_sections, sections
from gateway.wire import essentials, orders, records, seal, table, topics
from gateway.words import words

HERE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py: change the code, then run `make docs`. -->\n\n"


def pages() -> dict[str, str]:
    """All generated pages: file name -> text."""
    return {
        "site-file.md": NOTE + "# The site file\n\n" + "\n".join(_site_file()),
        "devices.md": NOTE + "# Device profiles\n\n" + "\n".join(_devices()),
        "profile-file.md": NOTE + "# The profile of a product\n\n" + "\n".join(_profile_file()),
        "wire.md": NOTE + "# Between node and gateway\n\n" + "\n".join(_wire()),
        "reasons.md": NOTE + "# Why the gateway does what it does\n\n" + "\n".join(_reasons()),
        "boards.md": NOTE + "# Boards and pins\n\n" + "\n".join(_boards()),
        "tariffs.md": NOTE + "# Tariffs that come with the gateway\n\n" + "\n".join(_tariffs()),
        "house-file.md": NOTE + "# The house file\n\n" + "\n".join(_house_file()),
        "control-states.md": NOTE + "# States of control\n\n" + "\n".join(_control_states()),
        "faults.md": NOTE + "# Faults of the simulated building\n\n" + "\n".join(_faults()),
    }


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with --check compare them."""
    old = []
    for name, text in pages().items():
        path = HERE / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        old.append(name)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    if old:
        print("docs:", "out of date:" if "--check" in arguments else "wrote", ", ".join(old))
    return 1 if old and "--check" in arguments else 0


def _table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield "| " + " | ".join(heading) + " |"
    yield "|" + "---|" * len(heading)
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
    yield ""


def _site_file() -> Iterator[str]:
    yield "Unknown keys are mistakes. Secrets are never in the file; their variables are named in the sections.\n"
    models: dict[str, type[BaseModel]] = {f"[{name}]": model for name, (model, _) in sections.SECTIONS.items()}
    models |= {
        "[nodes.ID]": sections.NodeSection,
        "[nodes.ID.buses.NAME]": sections.SerialBus,
        "[devices.ID]": sections.DeviceSection,
        "battery of [devices.ID]": sections.BatterySection,
        "[[tariff.off_peak]]": price_sections.OffPeakSection,
        "surplus of [tariff]": price_sections.SurplusSection,
        "[feeds.weather]": price_sections.WeatherSection,
    }
    models |= {f'[load_sections.ID], kind = "{kind}"': model for kind, model in load_sections.KINDS.items()}
    for name, model in models.items():
        yield f"## {name}\n"
        yield inspect.cleandoc(model.__doc__ or "") + "\n"
        if issubclass(model, load_sections.CommonSection):
            yield inspect.cleandoc(load_sections.CommonSection.__doc__ or "") + "\n"
        yield from _table(("key", "allowed", "default"), (_key(*item) for item in model.model_fields.items()))


def _house_file() -> Iterator[str]:
    yield "What `zen house` lives in ([how](../house.md)). Everything may be left out; then the defaults hold.\n"
    models: dict[str, type[BaseModel]] = {
        "[clock]": house_file.Clock,
        "[load]": house_file.Load,
        "[pv]": house_file.Pv,
        "[battery]": house_file.BatterySettings,
        "[meter]": house_file.MeterSettings,
        "[linky]": house_file.LinkySettings,
        "[car]": flexible.CarSettings,
        "[tank]": flexible.TankSettings,
        "[heat_pump]": flexible.HeatPumpSettings,
        "[serve.meter]": house_file.ServeMeter,
        "[serve.pv]": house_file.ServePv,
        "[serve.battery]": house_file.ServeBattery,
        "[serve.linky]": house_file.ServeLinky,
        "[serve.car]": flexible.ServeCar,
        "[serve.tank]": flexible.ServeTank,
        "[serve.heat_pump]": flexible.ServeHeatPump,
    }
    for name, model in models.items():
        yield f"## {name}\n"
        yield inspect.cleandoc(model.__doc__ or "") + "\n"
        rows = (_key(*item) for item in model.model_fields.items())
        yield from _table(("key", "allowed", "default"), rows)


def _key(name: str, field: FieldInfo) -> tuple[str, str, str]:
    allowed = _kind(field.annotation, field.metadata)
    default = "(needed)" if field.is_required() else f"`{_plain(field.get_default(call_default_factory=True))!r}`"
    return f"`{name}`", f"`{allowed}`", default


def _plain(value: Any) -> Any:
    """A default as it would stand in a file."""
    return str(value) if isinstance(value, Path) else value.isoformat() if isinstance(value, datetime) else value


def _kind(annotation: Any, metadata: Sequence[Any] = ()) -> str:
    """A type as a person writes it: `int ≥ 1 ≤ 65535`, `'N' | 'E' | 'O'`, `str | None`."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _kind(inner, [m for one in more for m in (one.metadata if isinstance(one, FieldInfo) else [one])])
    if get_origin(annotation) is Literal:
        return " | ".join(repr(choice) for choice in get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return " | ".join(_kind(part) for part in get_args(annotation))
    if get_origin(annotation) in (dict, Mapping):
        return "table"
    if get_origin(annotation) is tuple:
        parts = [part for part in get_args(annotation) if part is not Ellipsis]
        return "list of " + ", ".join(_kind(part) for part in parts)
    name = "None" if annotation is type(None) else annotation.__name__
    return " ".join([name, *filter(None, map(_bound, metadata))])


def _bound(bound: Any) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "pattern": "matching"}
    told = [f"{sign} {getattr(bound, key)}" for key, sign in signs.items() if getattr(bound, key, None) is not None]
    return " ".join(told)


def _devices() -> Iterator[str]:
    yield "A product is a file in `config/devices/`, or in `devices/` beside the site file.\n"
    for name in profiles.names(config_folder()):
        profile = profiles.find(name, config_folder())
        yield f"## {profile.title}\n"
        roles = ", ".join(profile.roles)
        believed = (
            f"once `{profile.proof}` has been read and fits" if profile.proof else "by the checksum of each group"
        )
        yield f"`{profile.id}`, for {roles}. Believed {believed}.\n"
        heading = ("point", "place", "type", "scale", "every", "range")
        yield from _table(heading, (_point(profile, point) for point in profile.points))
        if profile.setpoint is not None:
            yield _setpoint(profile.setpoint) + "\n"
        yield from (f"- {note}" for note in profile.notes)
        yield f"\nSources: {'; '.join(profile.sources)}.\n"


def _setpoint(setpoint: commands.Setpoint) -> str:
    """How the product is commanded, in a paragraph."""
    point = setpoint.point
    units = {"W": "W", "A": "A of each phase", "share": "a share of the rated power"}
    values = f"{point.on} for on, {point.off} for off" if point.unit == "switch" else units[point.unit]
    scale = "" if point.unit == "switch" else f" × {point.scale * point.sign:g}"
    told = [f"Set-points: holding {point.address}, {point.type}, {values}{scale}."]
    for when, writes in (("first", setpoint.arm), ("then", setpoint.go), ("to give it back", setpoint.safe)):
        if writes:
            told.append(f"Written {when}: {', '.join(f'{write.address} = {write.value}' for write in writes)}.")
    if setpoint.device_timeout_s is not None:
        told.append(f"Lapses in the device after {setpoint.device_timeout_s:g} s.")
    if setpoint.min_write_s:
        told.append(f"At least {setpoint.min_write_s:g} s between two changes.")
    if setpoint.writes_per_day is not None:
        told.append(f"At most {setpoint.writes_per_day} writes a day.")
    return " ".join(told)


def _profile_file() -> Iterator[str]:
    yield "A JSON file in `config/devices/`, or in `devices/` beside the site file, is one product. Unknown keys are"
    yield "mistakes. What the shipped ones say: [devices](devices.md).\n"
    models: dict[str, type[BaseModel]] = {
        "The file": profiles.Profile,
        "links.rtu": profiles.RtuLink,
        "links.tcp": profiles.TcpLink,
        "points of registers": points.Point,
        "points of a telegram": points.Label,
        "setpoint": commands.Setpoint,
        "point of setpoint": commands.Target,
        "arm, go and safe of setpoint": commands.Write,
        "read_at of what is written": commands.ReadBack,
    }
    for name, model in models.items():
        yield f"## {name}\n"
        yield inspect.cleandoc(model.__doc__ or "") + "\n"
        rows = (_key(field.alias or name, field) for name, field in model.model_fields.items())
        yield from _table(("key", "allowed", "default"), rows)


def _label(point: points.Label) -> tuple[object, ...]:
    place = f"label {point.label}" + (f" − {point.minus}" if point.minus else "")
    bits = f", {point.bits[1]} from bit {point.bits[0]}" if point.bits else ""
    texts = ", ".join(f"{text} = {number}" for text, number in (point.texts or {}).items())
    return (
        f"`{point.name}`",
        place + (" (where the contract has it)" if point.optional else ""),
        point.form + bits + (f": {texts}" if texts else ""),
        f"× {point.scale * point.sign:g}",
        f"{point.every_s:g} s",
        f"{point.low:g} … {point.high:g}",
    )


def _point(profile: profiles.Profile, point: points.Point | points.Label) -> tuple[object, ...]:
    if isinstance(point, points.Label):
        return _label(point)
    place = f"model {point.model} + {point.address}" if point.model else f"{point.table} {point.address}"
    scale = f"× {point.scale * point.sign:g}" + (f" × 10^[{point.sf_address}]" if point.sf_address is not None else "")
    codes = "".join(f", {raw} = {meant}" for raw, meant in (point.codes or {}).items()).replace(",", ":", 1)
    codes += "" if point.nan_means is None else f", {point.nan} = {point.nan_means:g}"
    order = "" if point.count == 1 or (point.word_order or profile.word_order) == "big" else ", low word first"
    return (
        f"`{point.name}`",
        place,
        point.type + order + codes,
        scale,
        f"{point.every_s:g} s",
        f"{point.low:g} … {point.high:g}",
    )


def _wire() -> Iterator[str]:
    for heading, module in (
        ("Topics", topics),
        ("Records", records),
        ("Seal", seal),
        ("Poll table", table),
        ("node.json", essentials),
    ):
        yield f"## {heading}\n"
        yield f"```\n{inspect.cleandoc(module.__doc__ or '')}\n```\n"
    yield "### What became of a read\n"
    yield from _table(("flag", "name"), enumerate(batches.FLAG_NAMES))
    yield "## Orders\n"
    yield f"```\n{inspect.cleandoc(orders.__doc__ or '')}\n```\n"
    yield "## Console on USB\n"
    console = ast.parse((firmware_folder() / "node" / "console.py").read_text(encoding="utf-8"))
    yield f"```\n{ast.get_docstring(console)}\n```\n"


def _reasons() -> Iterator[str]:
    english, french = words("en"), words("fr")
    rows = [(f"`{key.split('.')[1]}`", english[key], french[key]) for key in english if key.startswith("reason.")]
    yield from _table(("code", "English", "français"), rows)
    yield "## Why a value is absent\n"
    rows = [(f"`{key.split('.')[1]}`", english[key], french[key]) for key in english if key.startswith("why.")]
    yield from _table(("code", "English", "français"), rows)


def _boards() -> Iterator[str]:
    yield "One table, [config/boards.json](../../config/boards.json); numbers are GPIO. `–`: not there.\n"
    known = boards.load()
    places = list(dict.fromkeys(place for board in known.values() for place, _ in board.pins()))
    rows = [[place, *(dict(board.pins()).get(place, "–") for board in known.values())] for place in places]
    yield from _table(("pin", *(f"`{name}`" for name in known)), rows)
    for name, board in known.items():
        yield f"## {board.title}\n"
        image = board.image
        updated = "updated over the air" if image.ota else "updated by cable"
        yield f"`{name}`: {board.chip}, {board.flash_mb} MB of flash, PSRAM {board.psram}."
        yield f"Interpreter {image.name}, {image.version} or later, at {image.offset:#x}, {updated}."
        yield f"Records: {board.ring_bytes} bytes in memory, {board.spill_kb} kB in flash.\n"
        yield from (f"- {note}" for note in board.notes)
        yield f"\nSources: {'; '.join(board.sources)}.\n"


def _tariffs() -> Iterator[str]:
    yield "Prices in EUR/kWh with taxes, without the subscription. `–`: not known here, to be given in the site file."
    yield "Where each figure comes from stands below its table; [how to use them](../tariffs.md).\n"
    beside = config_folder() / "tariffs"
    for path in sorted(beside.glob("*.toml")):
        tariff = tariffs.load(path)
        yield f"## {tariff.title}\n"
        yield f"`{tariff.id}`. **To check:** {tariff.check}\n"
        names = tariffs.NAMES[tariff.kind]
        if tariff.kind == "surplus":
            rows = [(row.quarter, f"{row.above_kwp:g} … {row.up_to_kwp:g}", f"{row.price:g}") for row in tariff.surplus]
            yield from _table(("asked for in", "kWp", "price"), rows)
        else:
            prices = [
                (row.first, *(f"{row.prices[n]:g}" if n in row.prices else "–" for n in names)) for row in tariff.prices
            ]
            yield from _table(("from", *(f"`{name}`" for name in names)), prices)
        yield f"Sources: {'; '.join(tariff.sources)}.\n"


def _control_states() -> Iterator[str]:
    yield "What control remembers from one second to the next ([how it decides](../control.md)). The tables are those"
    yield "of the code; `gateway/tests/core/control/test_states.py` walks each row.\n"
    yield "## Levels of a plan\n"
    yield "Each is on or off by itself; of those that are on, the first one in this order that has a say decides."
    yield f"A gap is {level_rule.GAP:g} of the batteries' energy between reserve and full. A level at empty or full is"
    yield "always off.\n"
    yield from _table(("while it is on", "level", "on from", "off from"), map(_level, level_rule.LEVELS))
    yield f"A battery that reached its reserve rests until its state of charge is {limits.REST_SOC:g} above it.\n"
    yield "## Meter and batteries\n"
    yield "The first row that holds counts. Where none holds the device is controlled: from every row there is a way"
    yield "back as soon as it no longer holds. A device that was never controlled is watched where another one would be"
    yield "held or released.\n"
    for name, rules in (
        ("grid meter, for all devices", trust_rules.METER_RULES),
        ("a battery", trust_rules.BATTERY_RULES),
    ):
        yield from _table((name, "mode", "reason"), ((rule.when, f"`{rule.mode}`", f"`{rule.code}`") for rule in rules))
    yield "## Minimum up and down times\n"
    yield from _transitions(arbiter.SWITCH_MEANING, arbiter.SWITCH_TRANSITIONS.items())
    yield "## Loads that do not take what they are sent\n"
    yield from _transitions(load_memory.ANSWER_MEANING, load_memory.ANSWERS.items())
    yield "## Curtailment of PV\n"
    yield from _transitions(curtailment.CURTAILMENT_MEANING, curtailment.CURTAILMENT_TRANSITIONS.items())


def _level(level: level_rule.Level) -> tuple[str, ...]:
    names = {
        level_rule.LevelRule.CHARGE: ("the batteries charge from the grid", "charge"),
        level_rule.LevelRule.SELL: ("the batteries sell to the grid", "export"),
        level_rule.LevelRule.KEEP: ("nothing goes to the building", "reserve"),
        level_rule.LevelRule.LEAVE: ("surplus is left", "fill"),
    }
    does, name = names[level.rule]
    places = {-1.0: "a gap below it", 0.0: "it", 1.0: "a gap above it"}
    way_in, way_out = ("down", "up") if level.is_below else ("up", "down")
    return (
        does,
        f"`{name}`",
        f"{places[level.enter_gaps]}, {way_in}wards",
        f"{places[level.leave_gaps]}, {way_out}wards",
    )


def _transitions(
    meaning: Mapping[StrEnum, str], rows: Iterable[tuple[tuple[StrEnum, StrEnum], StrEnum]]
) -> Iterator[str]:
    """The states and events in words, then each way from one state to another."""
    yield from (f"- `{each}`: {text}" for each, text in meaning.items())
    yield ""
    found = ((f"`{state}`", f"`{event}`", f"`{after}`") for (state, event), after in rows)
    yield from _table(("state", "event", "next state"), found)


def _faults() -> Iterator[str]:
    yield 'Sent to the control socket of the house: `{"do": "fault", "kind": "MeterFrozen", "for_s": 30}`.\n'
    rows = []
    for kind in faults.KINDS.values():
        fields = ", ".join(f"`{name}`" for name in kind.__dataclass_fields__)
        rows.append((f"`{kind.__name__}`", inspect.cleandoc(kind.__doc__ or "").split("\n")[0], fields))
    yield from _table(("kind", "what happens", "fields"), rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
