"""A small building made by arithmetic: a load with mornings and evenings, a sun with clouds."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2025, 4, 1, tzinfo=UTC)


def powers(place: int, step_min: int) -> tuple[float, float]:
    """Load and PV (W, both positive) of a step."""
    hour = (place * step_min / 60.0) % 24.0
    day = place * step_min // 1440
    load = 250.0 + 900.0 * math.exp(-((hour - 7.5) ** 2)) + 1600.0 * math.exp(-((hour - 19.5) ** 2) / 3.0)
    sun = max(0.0, math.sin((hour - 6.0) / 12.0 * math.pi)) * (3500.0, 900.0, 2600.0, 400.0)[day % 4]
    return load + 120.0 * math.sin(7.0 * place), sun * (1.0 + 0.3 * math.sin(3.0 * place))


def written(path: Path, *, days: float, step_min: int, columns: str = "load_w,pv_w") -> Path:
    """A CSV of it; `columns` may leave one away."""
    rows = [f"time_utc,{columns}"]
    for place in range(round(days * 1440 / step_min)):
        load, sun = powers(place, step_min)
        moment = (START + timedelta(minutes=place * step_min)).strftime("%Y-%m-%dT%H:%MZ")
        told = {"load_w": f"{load:.1f}", "pv_w": f"{sun:.1f}", "load_kw": f"{load / 1000:.4f}"}
        rows.append(",".join([moment, *(told[name] for name in columns.split(","))]))
    path.write_text("\n".join(rows) + "\n")
    return path
