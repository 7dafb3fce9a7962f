"""The page is whole: each card has its script, its place and its words, as far as no browser is needed to see it."""

import re
from pathlib import Path

import pytest

import gateway
from gateway.web.page import TEMPLATE, render
from gateway.words import LANGUAGES

STATIC = Path(gateway.__file__).parent / "web" / "static"
SCRIPTS = {path.stem: path.read_text(encoding="utf-8") for path in STATIC.glob("*.js")}
PAGE = TEMPLATE.read_text(encoding="utf-8")
CARDS = PAGE.partition("<main")[2].partition(">")[2].partition("</main>")[0]
PLACES = set(re.findall(r'\bid="([\w-]+)"', PAGE))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_words_for_all_it_says(language: str) -> None:
    assert "{{" not in render(PAGE, language=language, digest="0")


def test_every_view_that_a_script_makes_of_the_page_is_shown() -> None:
    made = {name for text in SCRIPTS.values() for name in re.findall(r"export function (create\w+)\(find\)", text)}
    views = re.search(r"const views = \[(.*?)\];", SCRIPTS["page"], re.DOTALL)
    assert views is not None
    assert len(made) > 5
    shown = set(re.findall(r"(create\w+)\(find\)", views[1]))
    assert shown == made
    assert shown <= set(re.findall(r"import \{ (\w+) \} from", SCRIPTS["page"]))


def test_what_a_script_imports_is_exported_there() -> None:
    for text in SCRIPTS.values():
        for names, module in re.findall(r'import \{([^}]*)\} from "\./(\w+)\.js"', text):
            for name in re.findall(r"\w+", names):
                exported = rf"export (?:const|function) {name}\b|export (?:const )?\{{[^}}]*\b{name}\b"
                assert re.search(exported, SCRIPTS[module]), (name, module)


def test_every_place_that_a_script_looks_for_is_on_the_page() -> None:
    looked_for = {place for text in SCRIPTS.values() for place in re.findall(r'find\("([\w-]+)"\)', text)}
    assert len(looked_for) > 20
    assert looked_for - PLACES == set()


def test_every_place_of_the_cards_is_used() -> None:
    """By a script, or as the name of its section."""
    scripts = "".join(SCRIPTS.values())
    named = set(re.findall(r'aria-labelledby="([\w-]+)"', PAGE))
    assert {place for place in re.findall(r'\bid="([\w-]+)"', CARDS) if f'"{place}"' not in scripts} <= named


def test_every_section_is_named_by_its_heading() -> None:
    sections = re.findall(r"<section[^>]*>", PAGE)
    assert [section for section in sections if "aria-labelledby" not in section] == []
    assert set(re.findall(r'aria-labelledby="([\w-]+)"', PAGE)) <= PLACES
