"""Keys of nodes as they come from the environment and from the file of secrets."""

import secrets
from pathlib import Path

import pytest

from gateway.commission.secrets import complete, flaws
from gateway.paths import config_folder
from gateway.site.credentials import Credentials
from gateway.site.file import site_file
from gateway.site.file.site_file import SiteFileError

WRONG = [("0" * 64, "a key that can be guessed"), ("ab" * 32, "a key that can be guessed"), ("0", "1 characters")]


@pytest.mark.parametrize(("key", "found"), [*WRONG, ("", "0 characters")])
def test_a_gateway_takes_no_key_that_can_be_guessed_and_says_how_to_make_one(key: str, found: str) -> None:
    file = site_file.read(config_folder() / "demo" / "site.toml")
    with pytest.raises(SiteFileError) as error:
        Credentials.read(file, {"ZEN_KEY_CELLAR": key})
    [mistake] = error.value.mistakes
    assert (mistake.path, mistake.found) == ("ZEN_KEY_CELLAR", found)
    assert "openssl rand -hex 32" in mistake.allowed or "64 hexadecimal digits" in mistake.allowed
    assert key not in mistake.found or not key


@pytest.mark.parametrize(("key", "found"), WRONG)
def test_a_board_is_given_no_key_that_can_be_guessed(key: str, found: str, tmp_path: Path) -> None:
    known = complete("cellar", tmp_path / "site.secrets", {"ZEN_KEY_CELLAR": key})
    [mistake] = flaws("cellar", known, wifi=False)
    assert (mistake.path, mistake.found) == ("ZEN_KEY_CELLAR", found)


def test_a_key_that_was_made_is_taken(tmp_path: Path) -> None:
    file = site_file.read(config_folder() / "demo" / "site.toml")
    kept = tmp_path / "site.secrets"
    made = complete("cellar", kept, {})
    assert flaws("cellar", made, wifi=False) == []
    assert kept.stat().st_mode & 0o777 == 0o600
    for key in (made.key, made.key.upper(), secrets.token_hex(32)):
        assert Credentials.read(file, {"ZEN_KEY_CELLAR": key}).node_keys == {"cellar": bytes.fromhex(key)}
