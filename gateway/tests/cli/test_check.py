"""What `zen check` says of a site file that has no mistakes, and should be meant."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.paths import config_folder

PAGE = '[page]\nhost = "127.0.0.1"'


@pytest.mark.parametrize(("language", "words"), [("en", "can be read by everybody"), ("fr", "est lisible par tous")])
@pytest.mark.parametrize(
    ("host", "told"),
    [("127.0.0.1", 0), ("localhost", 0), ("::1", 0), ("0.0.0.0", 1), ("192.168.1.5", 1), ("::", 1), ("house.lan", 1)],
)
def test_a_page_that_is_open_to_the_network_is_named(
    tmp_path: Path, host: str, told: int, language: str, words: str
) -> None:
    text = (config_folder() / "demo" / "site.toml").read_text()
    assert PAGE in text
    (tmp_path / "site.toml").write_text(text.replace(PAGE, f'[page]\nhost = "{host}"'))
    environment = {"LC_ALL": f"{language}_XX.UTF-8", "COLUMNS": "400"}
    done = CliRunner().invoke(app, ["check", str(tmp_path / "site.toml")], env=environment)
    assert (done.exit_code, done.output.count(words)) == (0, told)
