"""A run as a picture: powers of the house over time, faults as bands, moments that did not hold as marks."""

from collections.abc import Iterator, Sequence
from html import escape

from gateway.trial.outcome import Trial
from gateway.trial.scenario.expectation import Row

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 900, 320, 60, 40, 40
LINES = (
    ("house.grid_w", "#8d6e00", "grid"),
    ("house.pv_w", "#2e7d32", "PV"),
    ("house.battery_w", "#1565c0", "battery"),
    ("house.base_load_w", "#6d4c41", "house"),
)
"""Drawn positive, as in the code: the grid is positive when the building imports, PV is negative."""
STEPS_W = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
MOST_STEPS = 8


def svg(trial: Trial, *, title: str) -> str:
    """The text of an SVG file."""
    return "\n".join(_elements(trial, title))


def _elements(trial: Trial, title: str) -> Iterator[str]:
    rows, end_s = trial.rows, trial.scenario.run.seconds
    values = [value for name, _, _ in LINES for value in _numbers(rows, name)]
    low_w, high_w = min([*values, 0.0]), max([*values, 1.0])
    step_w = next((step for step in STEPS_W if (high_w - low_w) / step <= MOST_STEPS), STEPS_W[-1])

    def x(t: float) -> float:
        return round(LEFT + (WIDTH - LEFT - 20) * t / end_s, 1)

    def y(power_w: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high_w - power_w) / (high_w - low_w), 1)

    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img" aria-label="{escape(title)}">'
    )
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/><text x="{LEFT}" y="18">{escape(title)}</text>'
    for one in trial.scenario.happenings:
        until_s = end_s if one.until_s is None else min(one.until_s, end_s)
        band = (
            f'x="{x(one.at_s)}" width="{round(x(until_s) - x(one.at_s), 1)}" y="{TOP}" height="{HEIGHT - TOP - BOTTOM}"'
        )
        yield f'<rect {band} fill="#fdecea"/><text x="{x(one.at_s)}" y="{TOP - 6}">{type(one.what).__name__}</text>'
    for number in range(int(low_w // step_w), int(high_w // step_w) + 1):
        power_w = number * step_w
        if low_w <= power_w <= high_w:
            yield f'<path d="M{LEFT} {y(power_w)}H{WIDTH - 20}" stroke="#ccc"/>'
            yield f'<text x="{LEFT - 6}" y="{y(power_w) + 4}" text-anchor="end">{power_w / 1000:g} kW</text>'
    for place, (name, colour, label) in enumerate(LINES):
        points = " ".join(f"{x(_t(row))},{y(value)}" for row in rows if isinstance(value := row.get(name), int | float))
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield f'<text x="{LEFT + 120 * place}" y="{HEIGHT - 8}" fill="{colour}">{label}</text>'
    for verdict in trial.verdicts:
        if not verdict.held and verdict.worst_t is not None:
            yield f'<path d="M{x(verdict.worst_t)} {TOP}V{HEIGHT - BOTTOM}" stroke="#c62828" stroke-dasharray="4"/>'
    yield f'<text x="{WIDTH - 20}" y="{HEIGHT - 8}" text-anchor="end">{end_s:g} s</text></svg>'


def _numbers(rows: Sequence[Row], name: str) -> list[float]:
    return [float(value) for row in rows if isinstance(value := row.get(name), int | float)]


def _t(row: Row) -> float:
    return _numbers([row], "t")[0]
