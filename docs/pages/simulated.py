"""The page of faults of the simulated building."""

import inspect
from collections.abc import Iterator

from gateway.simulator import faults
from pages.tables import markdown_table


def faults_page() -> Iterator[str]:
    yield 'Sent to the control socket of the simulator: `{"do": "fault", "kind": "MeterFrozen", "for_s": 30}`.\n'
    rows = []
    for kind in faults.KINDS.values():
        fields = ", ".join(f"`{name}`" for name in kind.__dataclass_fields__)
        rows.append((f"`{kind.__name__}`", inspect.cleandoc(kind.__doc__ or "").split("\n")[0], fields))
    yield from markdown_table(("kind", "what happens", "fields"), rows)
