"""Keys that dataclasses of the core declare: checked as a site file is, and given back as they were declared."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from gateway.core.pricing.keys import Between, Items, Matching, Such
from gateway.mistakes import validated
from gateway.site.file.declared import keys, made, section_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row."""

    words: Annotated[tuple[Annotated[str, Matching("^[a-z]+$")], ...], Items(least=1, most=2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Keys."""

    share: Annotated[float, Between(above=0, most=1), Such("a share")]
    rows: tuple[Row, ...] = ()
    name: str | None = None

    def __post_init__(self) -> None:
        if self.name == "nobody":
            raise ValueError("a name of somebody")


def test_right_values_come_back_as_the_dataclass() -> None:
    section, mistakes = validated(section_of(Keys), {"share": 0.5, "rows": [{"words": ["one", "two"]}]})
    assert mistakes == []
    values = {name: getattr(section, name) for name in type(section).model_fields}
    assert made(Keys, values) == Keys(share=0.5, rows=(Row(words=("one", "two")),))


@pytest.mark.parametrize(
    ("values", "path", "allowed"),
    [
        ({}, "tariff.share", "this key is needed"),
        ({"share": 0.0}, "tariff.share", "greater than 0"),
        ({"share": 1.5}, "tariff.share", "less than or equal to 1"),
        ({"share": "0.5"}, "tariff.share", "number"),
        ({"share": 1.0, "rows": [{"words": []}]}, "tariff.rows.0.words", "at least 1 item"),
        ({"share": 1.0, "rows": [{"words": ["a", "b", "c"]}]}, "tariff.rows.0.words", "at most 2 items"),
        ({"share": 1.0, "rows": [{"words": ["a", "B"]}]}, "tariff.rows.0.words.1", "match"),
        ({"share": 1.0, "rows": [{"word": ["a"], "words": ["a"]}]}, "tariff.rows.0.word", ""),
        ({"share": 1.0, "name": "nobody"}, "tariff", "a name of somebody"),
        ({"share": 1.0, "nam": "x"}, "tariff.nam", "did you mean name?"),
    ],
)
def test_wrong_values_are_reported_with_their_place(values: dict[str, object], path: str, allowed: str) -> None:
    section, mistakes = validated(section_of(Keys), values, at="tariff")
    assert section is None
    assert {mistake.path: allowed in mistake.allowed for mistake in mistakes} == {path: True}


def test_what_a_key_says_of_itself_is_kept() -> None:
    assert next((key.name, key.is_needed, key.such) for key in keys(Keys)) == ("share", True, "a share")


def test_a_mark_that_nobody_knows_is_a_mistake_of_the_kind() -> None:
    @dataclass(frozen=True)
    class Odd:
        """Odd."""

        key: Annotated[int, "unknown mark"]

    with pytest.raises(TypeError, match="no mark"):
        keys(Odd)
