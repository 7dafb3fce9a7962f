"""A site file is right, or every mistake is told at once with its place, what was found and what is allowed."""

from pathlib import Path

import pytest

from gateway import settings
from gateway.places import config_folder
from gateway.settings import SiteFileError

DEMO = (config_folder() / "demo" / "site.toml").read_text()


def mistakes(tmp_path: Path, *changes: tuple[str, str]) -> dict[str, tuple[str, str]]:
    text = DEMO
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "site.toml"
    path.write_text(text)
    with pytest.raises(SiteFileError) as caught:
        settings.read(path)
    return {mistake.path: (mistake.found, mistake.allowed) for mistake in caught.value.mistakes}


@pytest.mark.parametrize(
    "path", sorted(config_folder().rglob("site*.toml")), ids=lambda p: str(p.relative_to(config_folder()))
)
def test_every_shipped_site_file_is_right(path: Path) -> None:
    assert settings.read(path).site.id


def test_five_different_mistakes_give_five_messages_in_one_run(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        ("port = 1883", "prot = 1883"),  # a key that nothing reads
        ("reserve = 0.10", "reserve = 10"),  # out of range
        ("lease_s = 10", 'lease_s = "10"'),  # wrong type
        ('"eastron_sdm630"', '"eastron_sdm63"'),  # no such profile
        ('node = "cellar"\nbus', 'node = "celar"\nbus'),  # no such node
    )
    assert set(found) == {
        "broker.prot",
        "control.reserve",
        "control.lease_s",
        "devices.grid.profile",
        "devices.grid.node",
    }
    assert "did you mean port?" in found["broker.prot"][1]
    assert found["control.reserve"] == ("10", "less than or equal to 1")
    assert "did you mean eastron_sdm630?" in found["devices.grid.profile"][1]
    assert found["devices.grid.node"] == ('"celar"', "cellar (did you mean cellar?)")


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('role = "pv"', 'role = "battery"', "devices"),  # two batteries
        ('role = "grid"', 'role = "pv"', "devices"),  # no meter at the grid
        ('host = "127.0.0.1"\ntcp_port = 15020', 'bus = "rs485"', "devices.pv.bus"),  # a TCP product on a serial line
        ('bus = "rs485"\n', "", "devices.grid"),  # neither bus nor host
        ('bus = "rs485"\n', 'bus = "rs458"\n', "devices.grid.bus"),
        ("soc_max = 1.0", "soc_max = 0.05", "control.reserve"),  # reserve above the top
        ("Europe/Paris", "Europe/Lens", "site.time_zone"),
        ("[nodes.cellar] ", "[nodes.Cellar] ", "nodes.Cellar"),
        ("[control]", "[contrl]", "control"),
        ("lease_s = 10", "lease_s = 31", "control.lease_s"),  # longer than promise P1 allows
    ],
)
def test_mistakes_between_sections_name_their_place(tmp_path: Path, old: str, new: str, path: str) -> None:
    assert path in mistakes(tmp_path, (old, new))


def test_text_that_is_not_toml_is_told_with_its_line(tmp_path: Path) -> None:
    found = mistakes(tmp_path, ("[site]", "[site"))
    assert "line" in str(found)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SiteFileError, match="a readable TOML file"):
        settings.read(tmp_path / "none.toml")
