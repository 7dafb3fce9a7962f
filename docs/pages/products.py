"""The pages of products: their profiles, how a profile is written, and the points of devices."""

import inspect
from collections.abc import Iterator

from pydantic import BaseModel

from gateway.adapters.products import commands, points, profiles
from gateway.paths import config_folder
from gateway.words import words
from pages.keys import key_row
from pages.tables import markdown_table


def devices_page() -> Iterator[str]:
    yield "A product is a file in `config/devices/`, or in `devices/` beside the site file.\n"
    for name in profiles.names(config_folder()):
        profile = profiles.find(name, config_folder())
        yield f"## {profile.title}\n"
        roles = ", ".join(profile.roles)
        proofs = " or ".join(f"`{proof.point}`" for proof in profile.all_proofs)
        believed = f"once {proofs} has been read and fits" if proofs else "by the checksum of each group"
        yield f"`{profile.id}`, for {roles}. Believed {believed}.\n"
        heading = ("point", "place", "type", "scale", "every", "range")
        yield from markdown_table(heading, (_point(profile, point) for point in profile.points))
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
    lapses = {
        "armed": f"Lapses in the device after {setpoint.device_timeout_s} s, which is set with each order.",
        "built_in": f"Lapses in the device after {setpoint.device_timeout_s} s.",
        "setting": f"Lapses in the device after a time that is set in it; {setpoint.device_timeout_s} s are assumed.",
        "none": "Nothing ends a set-point when the node is lost; what is ordered may stay for ever.",
    }
    sentences.append(lapses[setpoint.reversion].replace(".0 s", " s"))
    if setpoint.min_write_s:
        sentences.append(f"At least {setpoint.min_write_s:g} s between two changes.")
    if setpoint.writes_per_day is not None:
        sentences.append(f"At most {setpoint.writes_per_day} writes a day.")
    return " ".join(sentences)


def profile_file_page() -> Iterator[str]:
    yield "A JSON file in `config/devices/`, or in `devices/` beside the site file, is one product. Unknown keys are"
    yield "mistakes. What the shipped ones say: [devices](devices.md).\n"
    models: dict[str, type[BaseModel]] = {
        "The file": profiles.Profile,
        "one of proofs": profiles.Proof,
        "links.rtu": profiles.RtuLink,
        "links.tcp": profiles.TcpLink,
        "points of registers": points.Point,
        "points of a telegram": points.Label,
        "instead of a point of a telegram": points.Instead,
        "setpoint": commands.Setpoint,
        "point of setpoint": commands.Target,
        "arm, go and safe of setpoint": commands.Write,
        "read_at of what is written": commands.ReadBack,
    }
    for name, model in models.items():
        yield f"## {name}\n"
        yield inspect.cleandoc(model.__doc__ or "") + "\n"
        rows = (key_row(field.alias or name, field) for name, field in model.model_fields.items())
        yield from markdown_table(("key", "allowed", "default"), rows)


def _label(point: points.Label) -> tuple[object, ...]:
    place = f"label {point.label}" + (f" − {point.minus}" if point.minus else "")
    if point.missing:
        place += " missing: 1"
    if point.instead:
        place += f", else {point.instead.scale:g} × ({' + '.join(point.instead.labels)})"
    if point.unless:
        place += f", not beside {point.unless}"
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


POINT_UNITS = {"w": "W", "wh": "Wh", "var": "var", "va": "VA", "v": "V", "a": "A", "hz": "Hz", "c": "°C", "pct": "%"}


def points_page() -> Iterator[str]:
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
    yield from markdown_table(("point", "English", "français", "unit", "profiles with it"), rows)


def _point_unit(name: str) -> str:
    return "0…1, shown as %" if name == "soc" else POINT_UNITS.get(name.rsplit("_", 1)[-1], "–")
