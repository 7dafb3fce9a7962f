"""The figures of a study as one plain table, for JSON, the terminal and the page."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np

from gateway.study.whatif.answer import RecordRun, Size, none
from gateway.study.whatif.study_inputs import BILL, StudyInputs
from gateway.words import text
from gateway.words.figures import number

COUNTED = ("rule", "zen", "perfect")


def report(inputs: StudyInputs, sizes: Sequence[Size], *, named: dict[str, str], seconds: float) -> dict[str, Any]:
    """All figures and what they depend on; `named` says which files and which tariff."""
    start, end = (
        datetime.fromtimestamp(moment, inputs.zone).isoformat(timespec="minutes")
        for moment in (inputs.start_s, inputs.end_s)
    )
    months = inputs.month_names()
    span = slice(inputs.first, inputs.first + inputs.steps)
    gaps = {
        "load": int(np.isnan(inputs.record.known.load_w[span]).sum()),
        "pv": int(np.isnan(inputs.record.known.pv_w[span]).sum()),
    }
    prices = {
        name: {"least": float(row[span].min()), "most": float(row[span].max())}
        for name, row in (("buy", inputs.buy), ("sell", inputs.sell))
    }
    return {
        **named,
        "start": start,
        "end": end,
        "days": round(inputs.steps * inputs.hours / 24.0, 3),
        "zone": str(inputs.zone),
        "step_s": inputs.record.filled.step_s,
        "plan_step_s": inputs.slot_s,
        "plan_every_s": inputs.slot_s * inputs.every,
        "steps_filled": gaps,
        "eur_per_kwh": prices,
        "goals": None if inputs.goals == BILL else asdict(inputs.goals),
        "none": _way(none(inputs), months),
        "sizes": [_size(size, before, months) for size, before in zip(sizes, [None, *sizes], strict=False)],
        "seconds": round(seconds, 1),
        "method": asdict(inputs.method),
    }


def goals_in_words(found: dict[str, Any], language: str) -> str:
    """One sentence about the weights; empty where the bill is the only goal."""
    weights = found["goals"]
    if weights is None:
        return ""
    shown = {
        "cost": number(language, weights["cost"], 2),
        "own": number(language, weights["self_consumption_eur_per_kwh"], 3),
        "co2": number(language, weights["co2_eur_per_t"], 0),
    }
    return text(language, "study.goals", **shown)


def _size(size: Size, before: Size | None, months: list[str]) -> dict[str, Any]:
    scores = {way: _rounded(size.score(way)) for way in ("rule", "zen")}
    ways = {way: _way(size.ways[way], months) for way in COUNTED}
    for way in ("rule", "zen"):
        for place, month in enumerate(ways[way]["months"]):
            month["S"] = _rounded(size.month_score(way, place))
    return {
        "kwh": size.storage.capacity_wh / 1000.0,
        "kw": size.storage.charge_max_w / 1000.0,
        "gain_eur": {way: _rounded(size.gain_eur(way)) for way in COUNTED},
        "more_eur_per_kwh": {way: _rounded(_more(size, before, way)) for way in COUNTED},
        "S": scores,
        "ways": ways,
    }


def _more(size: Size, before: Size | None, way: str) -> float:
    """What one more kWh brought, between the size before (or none) and this one."""
    gain, wh = (before.gain_eur(way), before.storage.capacity_wh) if before else (0.0, 0.0)
    return (size.gain_eur(way) - gain) / ((size.storage.capacity_wh - wh) / 1000.0)


def _way(run: RecordRun, months: list[str]) -> dict[str, Any]:
    named = zip(months, run.months, strict=True)
    return {"all": run.all.as_dict(), "months": [{"month": name, **account.as_dict()} for name, account in named]}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
