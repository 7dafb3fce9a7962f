"""Writes the tables of docs/reference from the code that uses them. `--check` only tells whether they are current."""

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.adapters import boards, presence, tariffs
from gateway.adapters.node import batches
from gateway.adapters.products import commands, points, profiles
from gateway.core.control import arbiter, curtailment, level_rule, limits, load_memory, trust_rules
from gateway.core.loads.settings import CommonSettings
from gateway.core.pricing.kinds import kinds
from gateway.paths import config_folder, firmware_folder
from gateway.planning import service
from gateway.simulator import faults
from gateway.simulator.settings import config as house_file
from gateway.simulator.settings import flexible
from gateway.site.file import declared, load_sections, price_sections, sections
from gateway.view.schema.cycle import CycleView, ReasonView
from gateway.view.schema.keys import LeftOut
from gateway.view.schema.plan import PlanView
from gateway.view.schema.status import StatusView
from gateway.view.schema.trend import TrendView
from gateway.wire import essentials, orders, records, seal, table, topics
from gateway.words import words

sys.path[:0] = [str(Path(__file__).parent), str(firmware_folder())]  # what is no package: beside this, and the node's
import rare  # noqa: E402
import slot  # noqa: E402
import states  # noqa: E402

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
        "api.md": NOTE + "# What the gateway answers over HTTP\n\n" + "\n".join(_api()),
        "boards.md": NOTE + "# Boards and pins\n\n" + "\n".join(_boards()),
        "tariffs.md": NOTE + "# Tariffs\n\n" + "\n".join(_tariffs()),
        "house-file.md": NOTE + "# The house file\n\n" + "\n".join(_house_file()),
        "node-states.md": NOTE + "# States of the node, and its rare code\n\n" + "\n".join(_node_states()),
        "control-states.md": NOTE + "# States of control\n\n" + "\n".join(_control_states()),
        "gateway-states.md": NOTE + "# States of the gateway\n\n" + "\n".join(_gateway_states()),
        "classes.md": NOTE + "# The classes of the core\n\n" + "\n".join(_classes()),
        "points.md": NOTE + "# The points of devices\n\n" + "\n".join(_points()),
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
    models["[tariff]"] = price_sections.TariffSection
    models |= {
        "[nodes.ID]": sections.NodeSection,
        "[nodes.ID.buses.NAME]": sections.SerialBus,
        "[devices.ID]": sections.DeviceSection,
        "battery of [devices.ID]": sections.BatterySection,
        "surplus of [tariff]": price_sections.SurplusSection,
        "[feeds.weather]": price_sections.WeatherSection,
    }
    models |= _keys_of_kinds()
    loads = {f'[loads.ID], kind = "{kind}"': kind for kind in load_sections.SECTIONS}
    models |= {name: load_sections.SECTIONS[kind] for name, kind in loads.items()}
    english, french = words("en"), words("fr")
    for name, model in models.items():
        yield f"## {name}\n"
        if name in loads:
            yield f"{english[f'load.{loads[name]}']} · {french[f'load.{loads[name]}']}\n"
        yield inspect.cleandoc(model.__doc__ or "") + "\n"
        if issubclass(model, load_sections.LoadSection):
            yield inspect.cleandoc(CommonSettings.__doc__ or "") + "\n"
        yield from _table(("key", "allowed", "default"), (_key(*item) for item in model.model_fields.items()))


def _keys_of_kinds() -> dict[str, type[BaseModel]]:
    """Those of [tariff], kind by kind, and their rows."""
    own = {kind.id: kind.settings for kind in kinds().values() if declared.keys(kind.settings)}
    models: dict[str, type[BaseModel]] = {
        f"[tariff], kind {id_}": declared.section_of(settings) for id_, settings in own.items()
    }
    rows = {name: row for settings in own.values() for name, row in declared.rows_of(settings).items()}
    return models | {f"[[tariff.{name}]]": declared.section_of(row) for name, row in rows.items()}


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
        "[pool_pump]": flexible.PoolPumpSettings,
        "[serve.meter]": house_file.ServeMeter,
        "[serve.pv]": house_file.ServePv,
        "[serve.battery]": house_file.ServeBattery,
        "[serve.linky]": house_file.ServeLinky,
        "[serve.car]": flexible.ServeCar,
        "[serve.tank]": flexible.ServeTank,
        "[serve.heat_pump]": flexible.ServeHeatPump,
        "[serve.pool_pump]": flexible.ServePoolPump,
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
    limits = [f"{sign} {getattr(bound, key)}" for key, sign in signs.items() if getattr(bound, key, None) is not None]
    return " ".join(limits)


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
    sentences = [f"Set-points: holding {point.address}, {point.type}, {values}{scale}."]
    for when, writes in (("first", setpoint.arm), ("then", setpoint.go), ("to give it back", setpoint.safe)):
        if writes:
            sentences.append(f"Written {when}: {', '.join(f'{write.address} = {write.value}' for write in writes)}.")
    if setpoint.device_timeout_s is not None:
        sentences.append(f"Lapses in the device after {setpoint.device_timeout_s:g} s.")
    if setpoint.min_write_s:
        sentences.append(f"At least {setpoint.min_write_s:g} s between two changes.")
    if setpoint.writes_per_day is not None:
        sentences.append(f"At most {setpoint.writes_per_day} writes a day.")
    return " ".join(sentences)


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


ENDPOINTS = {
    "/api/state": CycleView,
    "/api/plan": PlanView,
    "/api/trend?hours=24": TrendView,
    "/api/status": StatusView,
}


def _api() -> Iterator[str]:
    yield "All addresses are read with GET and answer in JSON; nothing can be changed over them. `/api/live` sends what"
    yield "`/api/state` answers as an event `state` for each cycle (server-sent events; the id of the event is that of"
    yield "the cycle). `hours` of the trend is a number from 0.05 to 168.\n"
    yield "`[]` stands for each entry of a list, `NAME` for a name of this building. **Drawn positive**: power that the"
    yield "thing named draws from the building is positive, what it gives is negative. **Import positive**: power is"
    yield "positive when the building imports. The last column says when a value (in a list: an entry) is null, or its"
    yield "key is left out; where it is empty, the value is always there.\n"
    for address, view in ENDPOINTS.items():
        yield f"## {address}\n"
        yield inspect.cleandoc(view.__doc__ or "") + "\n"
        yield from _table(API_HEADING, _keys(view, ""))
    yield "## A reason\n"
    yield inspect.cleandoc(ReasonView.__doc__ or "") + "\n"
    yield from _table(API_HEADING, _keys(ReasonView, ""))


def _keys(view: type, before: str) -> Iterator[tuple[str, ...]]:
    """A row for each key of a view, those of what it holds below it; reasons have their own table."""
    for name, hint in get_type_hints(view, include_extras=True).items():
        kind, about = get_args(hint)
        absent = [f"null: {about.null}"] * bool(about.null) + [f"left out: {about.left_out}"] * bool(about.left_out)
        inner, place = _inner(kind)
        is_view = is_dataclass(inner) and inner is not ReasonView
        one = "[reason](#a-reason)" if inner is ReasonView else "object" if is_view else JSON_TYPES[inner]
        many = {"": one, "[]": f"list: {one}", ".NAME": f"by name: {one}"}[place]
        yield f"`{before}{name}`", about.text, many, about.unit, about.sign, "; ".join(absent)
        if is_view:
            yield from _keys(inner, f"{before}{name}{place}.")


API_HEADING = ("key", "what", "type", "unit", "sign", "absent")
JSON_TYPES: Mapping[object, str] = {float: "number", int: "whole number", str: "text", bool: "boolean", object: "any"}


def _inner(kind: Any) -> tuple[Any, str]:
    """(type of what a key holds in the end, how a path goes on to it): `tuple[PointView, ...]` is PointView in `[]`."""
    if get_origin(kind) in (Union, UnionType):
        kinds = [part for part in get_args(kind) if part not in (type(None), LeftOut)]
        return _inner(kinds[0]) if len(kinds) == 1 else (object, "")
    if get_origin(kind) in (tuple, Sequence):
        return _inner(get_args(kind)[0])[0], "[]"
    if get_origin(kind) is Mapping:
        inner = get_args(kind)[1]
        return inner if is_dataclass(inner) else object, ".NAME"
    return kind, ""


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
    yield from _kinds()
    beside = config_folder() / "tariffs"
    for path in sorted(beside.glob("*.toml")):
        tariff = tariffs.load(path)
        yield f"## {tariff.title}\n"
        yield f"`{tariff.id}`. **To check:** {tariff.check}\n"
        names = tariff.names
        if tariff.kind == tariffs.SURPLUS:
            rows = [(row.quarter, f"{row.above_kwp:g} … {row.up_to_kwp:g}", f"{row.price:g}") for row in tariff.surplus]
            yield from _table(("asked for in", "kWp", "price"), rows)
        else:
            prices = [
                (row.first, *(f"{row.prices[n]:g}" if n in row.prices else "–" for n in names)) for row in tariff.prices
            ]
            yield from _table(("from", *(f"`{name}`" for name in names)), prices)
        yield f"Sources: {'; '.join(tariff.sources)}.\n"


def _kinds() -> Iterator[str]:
    """Each kind with its prices in both languages and an example."""
    english, french = words("en"), words("fr")
    yield "# Kinds of tariffs\n"
    for kind in kinds().values():
        yield f"## {english[f'tariff.{kind.id}']} · {french[f'tariff.{kind.id}']}\n"
        yield f"Kind `{kind.id}`. " + inspect.cleandoc(kind.settings.__doc__ or "") + "\n"
        yield f"```toml\n{kind.example}\n```\n"
        yield from _table(
            ("price", "English", "français"),
            ((f"`{name}`", english[f"price.{name}"], french[f"price.{name}"]) for name in kind.names),
        )
        if kind.called is not None:
            yield f"Called days, for `zen study --colours`: {', '.join(kind.called.words)}.\n"
    yield "# Lists of prices\n"


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


def _gateway_states() -> Iterator[str]:
    yield "What the gateway keeps beside the memory of control ([states of control](control-states.md)). The tables are"
    yield "those of the code; a test walks each row. What is not in a table leaves the state as it is.\n"
    yield "## One of several gateways\n"
    yield "`gateway/tests/adapters/test_presence_states.py`\n"
    yield from _transitions(presence.PRESENCE_MEANING, presence.PRESENCE_TRANSITIONS.items())
    yield "## The plan\n"
    yield "`gateway/tests/planning/test_plan_states.py`\n"
    yield from _transitions(service.PLAN_MEANING, service.PLAN_TRANSITIONS.items())


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
    yield 'Sent to the control socket of the simulator: `{"do": "fault", "kind": "MeterFrozen", "for_s": 30}`.\n'
    rows = []
    for kind in faults.KINDS.values():
        fields = ", ".join(f"`{name}`" for name in kind.__dataclass_fields__)
        rows.append((f"`{kind.__name__}`", inspect.cleandoc(kind.__doc__ or "").split("\n")[0], fields))
    yield from _table(("kind", "what happens", "fields"), rows)


CORE_FOLDERS = {
    "control": "Decisions of each second ([how](../control.md))",
    "forecast": "Forecasts ([how](../planning.md#scenarios))",
    "loads": "Kinds of loads ([how](../planning.md#flexible-loads))",
    "model": "What all of the core speaks of",
    "planning": "Plans ([how](../planning.md))",
    "pricing": "Prices ([how](../tariffs.md))",
}


def _classes() -> Iterator[str]:
    """A row for each public class of `gateway/core`, with the first sentence of its docstring."""
    yield "Every public class of `gateway/core`: what it is, with its unit and sign where it has one, and the module"
    yield "where it is decided. Its fields are explained there, with their units. The words of the trade are in the"
    yield "[glossary](../glossary.md).\n"
    core = Path(__file__).parents[1] / "gateway" / "core"
    for folder, heading in CORE_FOLDERS.items():
        rows = [
            (f"`{one.name}`", _first_paragraph(one), f"`{path.relative_to(core.parents[1]).as_posix()}`")
            for path in sorted((core / folder).rglob("*.py"))
            for one in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(one, ast.ClassDef) and not one.name.startswith("_")
        ]
        yield f"## {heading}\n"
        yield from _table(("class", "what it is", "where it is decided"), sorted(rows, key=_name))


def _name(row: tuple[str, ...]) -> str:
    return row[0].strip("`")


def _first_paragraph(one: ast.ClassDef) -> str:
    return (ast.get_docstring(one) or "").split("\n\n")[0].replace("\n", " ")


POINT_UNITS = {"w": "W", "wh": "Wh", "var": "var", "va": "VA", "v": "V", "a": "A", "hz": "Hz", "c": "°C", "pct": "%"}


def _points() -> Iterator[str]:
    """A row for each point that the page has a label for."""
    yield "What a device measures, as the page names it. Powers and currents are positive when the device draws from"
    yield "the building, those of the grid when the building imports. Each comes from the registers that the device's"
    yield "[profile](devices.md) names (`gateway/adapters/products/registers.py`).\n"
    english, french = words("en"), words("fr")
    names = sorted(key.removeprefix("point.") for key in english if key.startswith("point."))
    known = [profiles.load(path) for path in sorted((config_folder() / "devices").glob("*.json"))]
    rows = (
        (
            f"`{name}`",
            english[f"point.{name}"],
            french[f"point.{name}"],
            _point_unit(name),
            sum(profile.point(name) is not None for profile in known),
        )
        for name in names
    )
    yield from _table(("point", "English", "français", "unit", "profiles with it"), rows)


def _point_unit(name: str) -> str:
    return "0…1, shown as %" if name == "soc" else POINT_UNITS.get(name.rsplit("_", 1)[-1], "–")


def _node_states() -> Iterator[str]:
    yield "A cell is the state after the event; `·`: it stays. Each is checked on the board's interpreter"
    yield "(firmware/tests/test_states.py).\n"
    actuator = states.machine(firmware_folder() / "node" / "orders.py")
    for one in (actuator, states.GATE, states.UNIT, states.SESSION):
        yield f"## States of {one.of}\n"
        yield from _table(("state", "meaning"), one.states)
        yield from _table(("event", "meaning"), one.events)
        heading = ("state", *(name for name, _ in one.events))
        rows = [(state, *(_next(one, state, event) for event, _ in one.events)) for state, _ in one.states]
        yield from _table(heading, rows)
    yield from _boot()
    yield from _rare()


def _next(one: states.Machine, state: str, event: str) -> str:
    after = one.next(state, event)
    return "·" if after == state else after


def _boot() -> Iterator[str]:
    """What slot.decide makes of all that can be kept, for a node whose confirmed slot is a."""
    yield "## What runs after a boot\n"
    yield "The confirmed slot is a; for b it is the same with the letters exchanged. A slot runs only with its manifest"
    yield "in it. A trial has one boot.\n"
    rows = []
    for there in ([1, 2], [1], [2], []):
        for trial, tries in ((0, 0), (2, 1), (2, 0)):
            run, goes_on, _ = slot.decide(there, 1, trial, tries, 0, 0)
            kept = "none" if not trial else "b, its boot is still to come" if tries else "b, its boot was the last one"
            can = " and ".join(" ab"[number] for number in there) or "none"
            rows.append(
                (can, kept, " ab"[run].strip() or "the files at the root", "on trial" if goes_on else "confirmed")
            )
    yield from _table(("can be run", "trial", "runs", "as"), rows)
    rows = []
    for short in (0, 3):
        for trial in (0, 2):
            for asked in (0, 1, 2):
                mode = slot.decide([1, 2], 1, trial, 1, short, asked)[2]
                name = ("run", "safe", "setup")
                boots = "at most two" if short < 3 else "three or more"
                rows.append((boots, "yes" if trial else "no", name[asked] if asked else "–", name[mode]))
    yield from _table(("short boots in a row", "on trial", "asked for", "mode"), rows)


def _rare() -> Iterator[str]:
    yield "## Functions that are loaded for a call\n"
    yield inspect.cleandoc(rare.__doc__ or "").split("\n\n")[1].replace("\n", " ") + "\n"
    rows = [(f"`node.{module}.{name}`", ", ".join(callers), why) for module, name, callers, why in rare.RARE]
    yield from _table(("function", "called by", "needed for"), rows)
    yield "## The hardware under the node\n"
    rows = [(f"`hal.{name}`", board, computer, ", ".join(users)) for name, board, computer, users in rare.HAL]
    yield from _table(("name", "on an ESP32 in", "on a computer in", "used by"), rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
