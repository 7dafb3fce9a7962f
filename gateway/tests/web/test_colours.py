"""Contrast of the page's colours by the formula of WCAG 2.2 (relative luminance, contrast ratio)."""

import re
from pathlib import Path

import pytest

import gateway

STYLE = (Path(gateway.__file__).parent / "web" / "static" / "style.css").read_text(encoding="utf-8")
TEXTS = [(ink, paper) for ink in ("text", "muted") for paper in ("page", "card")] + [
    ("warn", "card"), ("warn", "warn-soft"), ("bad", "bad-soft"), ("good", "good-soft"), ("text", "bad-soft"),
    ("text", "battery-soft"), ("text", "warn-soft"), ("text", "grid-soft"), ("text", "pv-soft"), ("text", "house-soft"),
]  # fmt: skip
MARKS = [(mark, "card") for mark in ("pv", "battery", "grid", "house", "focus", "bad", "good")]


def colours(scheme):
    """{name: "#rrggbb"} of the light or dark scheme."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme == "dark"]))


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXTS, 4.5), (MARKS, 3.0)], ids=["texts", "marks"])
def test_colours_are_distinguished_by_weak_eyes(scheme, pairs, least):
    found = colours(scheme)
    poor = {pair: round(contrast(*(found[name] for name in pair)), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < least} == {}
