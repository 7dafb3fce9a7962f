"""JSON back into the schema: whatever fits no field, or leaves one out, is a mistake of the test that wrote it."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints

from gateway.view.schema.keys import LEFT_OUT, LeftOut


def decode(kind, found):
    """A value of a type of the schema, from JSON values. TypeError for what does not fit."""
    if is_dataclass(kind):
        return _decode_fields(kind, found)
    if get_origin(kind) in (Union, UnionType):
        return None if found is None else decode(_only_type(kind), found)
    if get_origin(kind) is tuple:
        return tuple(decode(get_args(kind)[0], each) for each in found)
    if get_origin(kind) is Sequence:
        return [decode(get_args(kind)[0], each) for each in found]
    if get_origin(kind) is Mapping:
        inner = get_args(kind)[1]
        return {key: decode(inner, value) if is_dataclass(inner) else value for key, value in found.items()}
    if not isinstance(found, (int, float) if kind is float else kind):
        raise TypeError(f"{found!r} is no {kind}")
    return found


def _decode_fields(kind, found):
    types = get_type_hints(kind)
    unknown = set(found) - set(types)
    if unknown:
        raise TypeError(f"{kind.__name__} has no {unknown}")
    given = {
        field.name: decode(types[field.name], found[field.name]) if field.name in found else LEFT_OUT
        for field in fields(kind)
    }
    left_out = [name for name, value in given.items() if value is LEFT_OUT and LeftOut not in get_args(types[name])]
    if left_out:
        raise TypeError(f"{kind.__name__} needs {left_out}")
    return kind(**given)


def _only_type(union):
    """What a value may be that is there."""
    [kind] = [part for part in get_args(union) if part not in (type(None), LeftOut)]
    return kind
