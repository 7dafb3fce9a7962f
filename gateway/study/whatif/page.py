"""A study as one page that holds all it needs: figures, pictures, styles, code and data; it asks no network."""

import base64
import json
import re
from collections.abc import Sequence
from datetime import datetime
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Template
from typing import Any

import numpy as np

from gateway.core.model.levels import Floats
from gateway.study.whatif.answer import Size
from gateway.study.whatif.figures import goals_in_words
from gateway.study.whatif.planned import on_slots
from gateway.study.whatif.study_inputs import StudyInputs
from gateway.words import text, words
from gateway.words.figures import ABSENT, duration, number

WEB = files("gateway") / "web" / "static"
UPLOT = WEB / "vendor" / "uplot"
OWN = files("gateway") / "study" / "whatif" / "pictures"
SCRIPTS = ("common.js", "day.js", "bars.js", "sizes.js", "study.js")
SHARES = 250  # of a byte: the whole storage
FULL = 32_000  # of a short integer: the highest power
COLUMNS = ("import", "export", "self_consumption", "self_sufficiency", "cost", "gain", "S", "more", "cycles")


def page(found: dict[str, Any], inputs: StudyInputs, sizes: Sequence[Size], *, language: str) -> str:
    """The whole document. `found` is the report of the same sizes."""
    said = {key.removeprefix("study."): row for key, row in words(language).items() if key.startswith("study.")}
    if found["goals"] is not None:
        said["page.against"] = said["page.against_goals"]
    days = _days(inputs)
    facts = {"load": found["load"], "start": days[0][0], "end": days[-1][0], "tariff": found["tariff"]}
    data = {"report": found, "days": days, "series": _series(inputs, sizes), "words": said, "language": language}
    fixed = (
        "title",
        "size",
        "days",
        "day",
        "previous",
        "next",
        "months",
        "energy",
        "own_use",
        "costs",
        "sizes",
        "sizes_hint",
        "offline",
    )
    parts = {
        **{name: escape(said[f"page.{name}"]) for name in fixed},
        "language": language,
        "about": escape(text(language, "study.page.about", **facts)),
        "hint": escape(text(language, "study.page.hint", minutes=inputs.slot_s / 60.0)),
        "table_title": escape(said["page.table"]),
        "table": _table(found, language),
        "method_title": escape(said["page.method"]),
        "method": escape(f"{_method(found, inputs, language)} {goals_in_words(found, language)}".rstrip()),
        "icon": _read(WEB / "icon.svg"),
        "style": "\n".join(
            _read(part) for part in (WEB / "style.css", WEB / "cards.css", UPLOT / "uPlot.min.css", OWN / "study.css")
        ),
        "plot": _read(UPLOT / "uPlot.iife.min.js"),
        "script": _script(),
        "data": _inert(data),
    }
    return Template(_read(OWN / "study.html")).substitute(parts)


def _read(file: Traversable) -> str:
    return file.read_text(encoding="utf-8")


def _script() -> str:
    """The page's code as one module; the stacks are drawn by the gateway's own page."""
    parts = [WEB / "stack.js", *(OWN / name for name in SCRIPTS)]
    return "\n".join(re.sub(r"^export ", "", _read(part), flags=re.MULTILINE) for part in parts)


def _inert(data: dict[str, Any]) -> str:
    """JSON that cannot end the element it stands in."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _days(inputs: StudyInputs) -> list[list[Any]]:
    """Local days as [date, first slot, slots]; of 23 and 25 hours in spring and autumn."""
    dates = [datetime.fromtimestamp(start, inputs.zone).date().isoformat() for start in inputs.slot_starts_s().tolist()]
    days: list[list[Any]] = []
    for place, day in enumerate(dates):
        if not days or days[-1][0] != day:
            days.append([day, place, 0])
        days[-1][2] += 1
    return days


def _series(inputs: StudyInputs, sizes: Sequence[Size]) -> dict[str, Any]:
    """What each slot was like: powers as short integers times `watt`, shares of the storage as bytes."""
    meters = inputs.meters()
    load_w, pv_w, buy = (on_slots(row, inputs.each) for row in (meters.load_w, meters.pv_w, meters.buy))
    powers = [load_w, pv_w, *(size.ways["zen"].power_w for size in sizes)]
    watt = max(1.0, max(float(np.abs(power).max()) for power in powers) / FULL)
    prices, places = np.unique(np.round(buy, 5), return_inverse=True)
    return {
        "start_s": inputs.start_s,
        "step_s": inputs.slot_s,
        "watt": watt,
        "load": _shorts(load_w / watt),
        "pv": _shorts(pv_w / watt),
        "prices": prices.tolist(),
        "price": _shorts(places.astype(np.float64)),
        "sizes": [_stored(size, watt) for size in sizes],
    }


def _stored(size: Size, watt: float) -> dict[str, Any]:
    lived, full_wh = size.ways["zen"], size.storage.capacity_wh
    levels = {
        name: _bytes(lived.levels_wh[:, i] / full_wh) for i, name in enumerate(("charge", "reserve", "fill", "export"))
    }
    return {"power": _shorts(lived.power_w / watt), "soc": _bytes(lived.energy_wh / full_wh), **levels}


def _shorts(values: Floats) -> str:
    return base64.b64encode(np.rint(values).astype("<i2").tobytes()).decode()


def _bytes(shares: Floats) -> str:
    return base64.b64encode(np.rint(np.clip(shares, 0.0, 1.0) * SHARES).astype(np.uint8).tobytes()).decode()


def _table(found: dict[str, Any], language: str) -> str:
    """All figures as rows of an HTML table, readable without any code."""
    heads = "".join(
        f'<th scope="col">{escape(text(language, f"study.{key}"))}</th>' for key in ("battery", "way", *COLUMNS)
    )
    rows = [_row(found["none"]["all"], None, "none", language)]
    rows += [
        _row(size["ways"][way]["all"], size, way, language)
        for size in found["sizes"]
        for way in ("rule", "zen", "perfect")
    ]
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _row(account: dict[str, Any], size: dict[str, Any] | None, way: str, language: str) -> str:
    values = {
        "import": (account["import_kwh"], 0),
        "export": (account["export_kwh"], 0),
        "self_consumption": (account["self_consumption"], None),
        "self_sufficiency": (account["self_sufficiency"], None),
        "cost": (account["cost_eur"], 2),
        "gain": (size["gain_eur"][way] if size else 0.0, 2),
        "S": (size["S"].get(way, 1.0) if size else 0.0, 3),
        "more": (size["more_eur_per_kwh"][way] if size else None, 2),
        "cycles": (account["cycles"], 0),
    }
    cells = "".join(f"<td>{_figure(language, *values[key])}</td>" for key in COLUMNS)
    kwh = number(language, size["kwh"], 1) if size else "0"
    said = escape(text(language, f"study.way.{way}"))
    return f'<tr class="way-{way}"><th scope="row">{kwh} kWh</th><td>{said}</td>{cells}</tr>'


def _figure(language: str, value: float | None, decimals: int | None) -> str:
    if value is None:
        return ABSENT
    if decimals is None:
        return number(language, 100.0 * value, 1) + " %"
    return number(language, value, decimals)


def _method(found: dict[str, Any], inputs: StudyInputs, language: str) -> str:
    return text(
        language,
        "study.page.method_text",
        every=duration(language, found["plan_every_s"]),
        step=duration(language, found["step_s"]),
        efficiency=number(language, inputs.storages[0].charge_efficiency, 2),
        gaps=number(language, sum(found["steps_filled"].values()), 0),
    )
