"""What stored codes are called and in which colour they are drawn."""

from typing import Any

from grafana_foundation_sdk.models import dashboard as model

from gateway.report.grafana.texts import Speaker

# Families of reasons by their whole codes (Grafana replaces what a pattern matches); the first that fits counts.
REASONS = (
    ("plan_charges|plan_sells|grid_charge|sell", "trades", "purple"),
    ("plan_keeps|plan_leaves|kept|leave_surplus|peak_kept", "keeps", "yellow"),
    ("hold_grid_.*|all_surplus|plain_rule|peak_aim|loads_unsupplied", "balances", "green"),
    ("pv_curtailed.*|pv_blind|load_curtail", "curtailed", "orange"),
    (".*limit.*|imbalance|too_little|takes_less|load_takes_less|load_less|load_little", "limited", "orange"),
    ("full|reserve", "full", "blue"),
    ("pv_free", "free", "green"),
    (
        ".*not_followed|lost_.*|wait|wait_.*|frozen_.*|meter_.*|phase_impossible|all_astray|load_absent|load_blind",
        "trouble",
        "red",
    ),
    (
        "load_(surplus|gives|takes|planned|run|going|due|ahead|hygiene|heats|must|runs_on|free|turn|cold|plain)",
        "runs",
        "green",
    ),
    ("load_.*", "rests", "blue"),
    (".*", "other", "text"),
)
MODES = {"control": "green", "hold": "yellow", "release": "blue", "watch": "purple"}
QUALITIES = {"good": "green", "stale": "orange", "absent": "red"}


def reasons(say: Speaker) -> list[Any]:
    """Of reasons to what they are about."""
    return [
        _regex(pattern, say(f"why.{name}"), colour, number) for number, (pattern, name, colour) in enumerate(REASONS)
    ]


def modes(say: Speaker) -> list[Any]:
    """Of what the loop does with a device."""
    return [_values({code: (say.word(f"mode.{code}"), colour) for code, colour in MODES.items()})]


def qualities(say: Speaker) -> list[Any]:
    """Of how fresh a device is."""
    return [_values({code: (say(f"quality.{code}"), colour) for code, colour in QUALITIES.items()})]


def switch(on: str, off: str, *, on_colour: str = "green", off_colour: str = "red") -> list[Any]:
    """Of 1 and 0."""
    return [_values({"1": (on, on_colour), "0": (off, off_colour)})]


def _values(words: dict[str, tuple[str, str]]) -> Any:
    rows = words.items()
    return model.ValueMap(
        options={
            code: model.ValueMappingResult(text=text, color=colour, index=number)
            for number, (code, (text, colour)) in enumerate(rows)
        }
    )


def _regex(pattern: str, text: str, colour: str, number: int) -> Any:
    result = model.ValueMappingResult(text=text, color=colour, index=number)
    return model.RegexMap(options=model.DashboardRegexMapOptions(pattern=f"/^(?:{pattern})$/", result=result))
