"""Numbers as people of a language read them. The ending of a name says its unit.

| ending       | given        | shown                                                        |
|--------------|--------------|--------------------------------------------------------------|
| `_w`, `_var`, `_va` | W     | whole below 1000; then kW with two decimals, one from 10 kW  |
| `_wh`        | Wh           | whole below 1000; then kWh with two decimals, one from 10    |
| `_pct`       | percent      | whole                                                        |
| `soc`        | fraction 0…1 | whole percent                                                |
| `_s`         | seconds      | s (below 10 with a decimal unless whole), min, h, days        |
| `_v` `_a` `_hz` `_c` | itself | one decimal (`_a`, `_hz` two)                              |
| `_price`     | EUR/kWh      | two decimals, a third unless it is 0                         |
| `_clock`     | minutes of the day | 22:30, in French 22 h 30; full hours 22:00 and 22 h    |
| anything else | itself      | at most two decimals, text as it is                          |

Rounding is half away from zero on the shortest decimal that means the value, as browsers do it.
"""

from decimal import ROUND_HALF_UP, Decimal

Number = float | str | None

ABSENT = "—"
SPACE = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
_MARKS = {"en": (".", ","), "fr": (",", "\N{NARROW NO-BREAK SPACE}")}  # decimal mark, thousands
_PERCENT = {"en": "%", "fr": f"{SPACE}%"}
_DAY = {"en": "d", "fr": "j"}
_PLAIN = {"v": (1, "V"), "a": (2, "A"), "hz": (2, "Hz"), "c": (1, "°C")}
_THOUSANDS = {"w": "W", "wh": "Wh", "var": "var", "va": "VA"}


def figure(language: str, name: str, value: Number) -> str:
    """A value with its unit, for example `figure("fr", "net_w", 1234.5)` is "1,23 kW"."""
    if value is None:
        return ABSENT
    if isinstance(value, str):
        return value
    ending = name.rsplit("_", 1)[-1]
    if ending in _THOUSANDS:
        return _thousands(language, value, _THOUSANDS[ending])
    if ending == "s":
        return duration(language, value)
    if ending == "clock":
        return clock(language, value)
    return _plain(language, value, ending)


def _plain(language: str, value: float, ending: str) -> str:
    if ending in ("pct", "soc"):
        return number(language, value * 100 if ending == "soc" else value, 0) + _PERCENT[language]
    if ending in _PLAIN:
        decimals, unit = _PLAIN[ending]
        return number(language, value, decimals) + SPACE + unit
    if ending == "price":
        decimals = 2 if _round(value, 2) == _round(value, 3) else 3
        return number(language, value, decimals) + SPACE + "€/kWh"
    decimals = next(count for count in (0, 1, 2) if count == 2 or _round(value, count) == _round(value, 2))
    return number(language, value, decimals)


def number(language: str, value: float, decimals: int) -> str:
    """A bare number with a fixed count of decimals; zero never has a sign."""
    rounded = _round(value, decimals)
    point, group = _MARKS[language]
    plain = f"{abs(rounded):,.{decimals}f}".replace(",", "\0").replace(".", point).replace("\0", group)
    return (MINUS if rounded < 0 else "") + plain


def duration(language: str, seconds: float) -> str:
    """A length of time in its largest fitting unit: s below 90 s, min below 90 min, h below 48 h, then days."""
    if _round(seconds, 1) < 10:
        return number(language, seconds, 0 if seconds % 1 == 0 else 1) + SPACE + "s"
    for limit, length, unit in ((90, 1, "s"), (5400, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return number(language, seconds / length, 0) + SPACE + unit
    return number(language, seconds / 86400, 0) + SPACE + _DAY[language]


def clock(language: str, minute: float) -> str:
    """A time of day from its minutes since midnight."""
    hour, rest = divmod(int(minute) % 1440, 60)
    if language == "en":
        return f"{hour:02d}:{rest:02d}"
    return f"{hour}{SPACE}h" + (f"{SPACE}{rest:02d}" if rest else "")


def is_zero(name: str, value: float) -> bool:
    """Whether a value is shown as 0 in its unit."""
    return _round(value * 100 if name.endswith("soc") else value, 0) == 0


def _thousands(language: str, value: float, unit: str) -> str:
    if abs(_round(value, 0)) < 1000:
        return number(language, value, 0) + SPACE + unit
    decimals = 2 if abs(_round(value / 1000, 2)) < 10 else 1
    return number(language, value / 1000, decimals) + SPACE + "k" + unit


def _round(value: float, decimals: int) -> Decimal:
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
