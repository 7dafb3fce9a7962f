"""The schema is frozen, described key by key, and written by one encoder."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Annotated, get_args, get_origin, get_type_hints

import pytest

from gateway.view import schema
from gateway.view.schema.cycle import FlowView, ReasonView
from gateway.view.schema.encoder import encode, json_text
from gateway.view.schema.keys import LEFT_OUT, About, LeftOut
from gateway.view.schema.trend import TrendView

FOLDER = Path(schema.__path__[0])
MODULES = [import_module(f"gateway.view.schema.{path.stem}") for path in FOLDER.glob("[a-z]*.py")]
VIEWS = [kind for module in MODULES for name, kind in vars(module).items() if name.endswith("View")]


def hints() -> Iterator[tuple[str, object]]:
    for kind in {*VIEWS}:
        for name, hint in get_type_hints(kind, include_extras=True).items():
            yield f"{kind.__name__}.{name}", hint


def may_be(hint: object, kind: type) -> bool:
    """Whether a value, or an entry of a column, may be of this type."""
    return hint is kind or any(may_be(part, kind) for part in get_args(hint) if part is not ...)


def test_every_key_says_what_it_is_and_when_it_is_absent() -> None:
    found = dict(hints())
    assert len(found) > 90
    for key, hint in found.items():
        assert get_origin(hint) is Annotated, key
        inner, about = get_args(hint)
        assert isinstance(about, About), key
        assert about.text, key
        if key != "NodeCountsView.health":  # whatever the node says
            assert bool(about.null) == may_be(inner, type(None)), key
        assert bool(about.left_out) == may_be(inner, LeftOut), key


@pytest.mark.parametrize(("ending", "unit"), [("_w", "W"), ("_s", "s"), ("_mb", "MiB"), ("soc", "fraction")])
def test_a_key_has_the_unit_of_its_ending(ending: str, unit: str) -> None:
    units = {get_args(hint)[1].unit.removesuffix(" since 1970") for key, hint in hints() if key.endswith(ending)}
    assert units == {unit}


def test_every_power_has_a_sign() -> None:
    assert [key for key, hint in hints() if key.endswith("_w") and not get_args(hint)[1].sign] == []


def test_views_do_not_change() -> None:
    reason = ReasonView(code="full", numbers={"soc_pct": 100.0})
    with pytest.raises(FrozenInstanceError):
        reason.code = "empty"  # type: ignore[misc]
    assert all(kind.__dataclass_params__.frozen and "__slots__" in vars(kind) for kind in VIEWS)


def test_a_key_that_is_left_out_is_not_written_and_an_absent_value_is_null() -> None:
    flow = FlowView(grid_w=-1200.0, pv_w=0.1, battery_w=None, load_w=3.0, loads_w=LEFT_OUT)
    assert json_text(flow) == '{"grid_w":-1200.0,"pv_w":0.1,"battery_w":null,"load_w":3.0}'
    assert json_text(replace(flow, loads_w=None)).endswith('"load_w":3.0,"loads_w":null}')


def test_what_json_does_not_know_is_refused() -> None:
    @dataclass
    class Foreign:
        seen: set[int]

    with pytest.raises(TypeError, match="nothing of the schema"):
        encode(Foreign({1}))
    with pytest.raises(ValueError, match="JSON"):
        json_text(TrendView(t=[float("nan")], pv_w=[], load_w=[], battery_w=[], grid_w=[], soc=[]))


def test_the_order_of_keys_is_that_of_the_fields() -> None:
    assert list(encode(ReasonView(code="a", numbers={}))) == [field.name for field in fields(ReasonView)]  # type: ignore[arg-type]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_the_schema_imports_the_standard_library_and_itself_only(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    named += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    foreign = [name for name in named if name.partition(".")[0] not in sys.stdlib_module_names]
    assert [name for name in foreign if not name.startswith("gateway.view.schema.")] == []
