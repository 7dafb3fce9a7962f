"""The pages of faults of the simulated building, and of the scenario file that uses them."""

import inspect
from collections.abc import Iterator

from pydantic.fields import FieldInfo

from gateway.simulator import faults
from gateway.trial.scenario.events import EVENTS
from gateway.trial.scenario.expectation import Expectation
from gateway.trial.scenario.quantities import GATEWAY, HOUSE, MORE, ORDERED
from gateway.trial.scenario.scenario_file import RunSection
from pages.tables import markdown_table


def faults_page() -> Iterator[str]:
    yield 'Sent to the control socket of the simulator: `{"do": "fault", "kind": "MeterFrozen", "for_s": 30}`.\n'
    yield from markdown_table(("kind", "what happens", "fields"), [_row(kind) for kind in faults.KINDS.values()])


def scenario_file_page() -> Iterator[str]:
    yield "How to write one is in [trial](../trial.md). A key that is not here is a mistake.\n"
    yield "## `[run]`\n"
    yield from markdown_table(
        ("key", "default"), [(f"`{name}`", _default(f)) for name, f in RunSection.model_fields.items()]
    )
    yield "\n## `[house]` and `[site]`\n"
    yield "As in the [house file](house-file.md) and in the [site file](site-file.md), merged over what `like` says."
    yield "`[site.tariff]` replaces the shipped one as a whole, and counts with `plan = true` only.\n"
    yield "## `[[fault]]`\n"
    yield "`kind` and `at_s` (seconds from the start), and the fields of the kind; powers are drawn positive. The"
    yield "faults of devices are [those of the house](faults.md). Beside them:\n"
    rows = [(*_row(kind), ", ".join(sorted(kind.runners))) for kind in EVENTS.values()]
    yield from markdown_table(("kind", "what happens", "fields", "shown by"), rows)
    yield "\n## `[[expect]]`\n"
    keys = [(f"`{field.alias or name}`", _default(field)) for name, field in Expectation.model_fields.items()]
    yield from markdown_table(("key", "default"), keys)
    yield "\n## Quantities\n"
    yield from markdown_table(("quantity", "what it is"), list(_quantities()))


def _quantities() -> Iterator[tuple[str, str]]:
    yield ", ".join(f"`house.{name}`" for name in (*HOUSE, *MORE)), "the truth, in the simulated building"
    yield "`house.car_w`, `house.tank_w`, `house.heat_pump_w`, `house.pool_pump_w`", "its flexible loads"
    yield ", ".join(f"`gateway.{name}`" for name in GATEWAY), "what the page shows"
    for name, unit in ORDERED.items():
        yield f"`{name}.DEVICE{unit}`", MEANING[name]
    yield "`quality.DEVICE`", "`good`, `stale` or `absent`"
    yield "`point.DEVICE.POINT`", "a value that a device reports ([points](points.md))"
    yield "`node.NODE`, `broker`", "`up` or `down`"
    yield "`reasons`, `alarms`", "codes; for `has`"


MEANING = {
    "order": "the set-point, W; none: its own mode",
    "mode": "`control`, `hold`, `release` or `watch`",
    "reason": "code of the reason ([reasons](reasons.md))",
    "said": "the reason in words",
    "applied": "the power that was written last, W",
    "held": "the power that was read back, W",
}


def _row(kind: type) -> tuple[str, str, str]:
    fields = ", ".join(f"`{name}`" for name in kind.__dataclass_fields__ if name != "runners")
    return f"`{kind.__name__}`", inspect.cleandoc(kind.__doc__ or "").replace("\n", " "), fields


def _default(field: FieldInfo) -> str:
    if field.is_required() or field.default is None:
        return "needed" if field.is_required() else "—"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
