"""Pictures of results: horizontal bars as plain SVG, readable on light and on dark pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT = 760, 320, 70  # px; text left of the bars, numbers right of them
ROW, BAR, TOP, BOTTOM = 24, 14, 44, 30
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 } .small { font-size: 11px }
.ours { fill: #1a7f37 } .other { fill: #8c959f } .published { fill: #54aeff } .axis { stroke: #8c959f }
.mark { stroke: #cf222e; stroke-dasharray: 4 3 } .marked { fill: #cf222e; font-size: 11px }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .ours { fill: #3fb950 } .other { fill: #6e7681 } .published { fill: #1f6feb }
.mark { stroke: #ff7b72 } .marked { fill: #ff7b72 } }"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """`kind`: ours, other (run beside us) or published (read elsewhere). None: not run."""

    label: str
    value: float | None
    kind: str = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line across all bars: a target or a limit."""

    label: str
    value: float


def picture(title: str, bars: Sequence[Bar], marks: Sequence[Mark] = (), *, digits: int = 3) -> str:
    """SVG text; bars start at 0, to the left where a value is negative."""
    values = [bar.value for bar in bars if bar.value is not None] + [mark.value for mark in marks]
    scale = _Scale(low=min([0.0, *values]), high=max([1e-9, *values]))
    height = TOP + ROW * len(bars) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="8" y="20">{escape(title)}</text>',
        *(part for row, bar in enumerate(bars) for part in _row(bar, TOP + ROW * row, scale, digits)),
        _line("axis", scale.x(0.0), height),
        *(part for mark in marks for part in _mark(mark, scale, height, digits)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    low: float
    high: float

    def x(self, value: float) -> float:
        """Place of a value in px."""
        return LEFT + (value - self.low) / (self.high - self.low) * (WIDTH - LEFT - RIGHT)


def _row(bar: Bar, top: float, scale: _Scale, digits: int) -> list[str]:
    middle = top + BAR / 2 + 4
    label = f'<text x="{LEFT - 8}" y="{middle:.1f}" text-anchor="end">{escape(bar.label)}</text>'
    if bar.value is None:
        return [label, f'<text class="small" x="{scale.x(0.0) + 6:.1f}" y="{middle:.1f}">not run</text>']
    left, right = sorted((scale.x(0.0), scale.x(bar.value)))
    return [
        label,
        f'<rect class="{bar.kind}" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{BAR}"/>',
        f'<text class="small" x="{WIDTH - 8}" y="{middle:.1f}" text-anchor="end">{bar.value:.{digits}f}</text>',
    ]


def _mark(mark: Mark, scale: _Scale, height: float, digits: int) -> list[str]:
    x = scale.x(mark.value)
    anchor = "end" if x > WIDTH - 150 else "middle"
    words = f"{escape(mark.label)} {mark.value:.{digits}f}"
    return [
        _line("mark", x, height),
        f'<text class="marked" x="{x:.1f}" y="{height - 8}" text-anchor="{anchor}">{words}</text>',
    ]


def _line(kind: str, x: float, height: float) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - BOTTOM + 4}"/>'
