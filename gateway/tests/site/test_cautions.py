"""Open doors of a site's broker are said by `zen check`, each with its remedy, in both languages."""

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.paths import config_folder
from gateway.site.file.cautions import of_broker
from gateway.site.file.sections import BrokerSection

LAN = {"host": "192.168.1.10", "user": "gateway"}
CA = {"ca": "ca.pem"}
DOORS = [
    ({"user": "gateway"}, []),
    ({}, ["broker_anonymous"]),
    ({"host": "localhost", "user": "gateway"}, []),
    ({"host": "::1", "user": "gateway"}, []),
    (LAN, ["broker_plain", "nodes_plain"]),
    (LAN | CA, []),
    ({"user": "gateway", "node_host": "192.168.1.10"}, ["nodes_plain"]),
    ({"user": "gateway", "node_host": "192.168.1.10", "node_ca": "ca.pem"}, []),
    ({"host": "broker.lan"}, ["broker_anonymous", "broker_plain", "nodes_plain"]),
]


@pytest.mark.parametrize(("broker", "doors"), DOORS)
def test_each_open_door_is_found(broker: dict[str, str], doors: list[str]) -> None:
    assert [text.removeprefix("check.") for text, _ in of_broker(BrokerSection(**broker))] == doors


@pytest.mark.parametrize(
    ("language", "remedy"), [("en", "they connect encrypted"), ("fr", "ils se connectent chiffrés")]
)
def test_the_command_says_it_and_takes_the_file(
    language: str, remedy: str, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (config_folder() / "demo" / "site.toml").read_text(encoding="utf-8")
    file = tmp_path / "site.toml"
    file.write_text(text.replace('[broker]\nhost = "127.0.0.1"', '[broker]\nhost = "192.168.1.10"'), encoding="utf-8")
    monkeypatch.setenv("LC_ALL", f"{language}_XX.UTF-8")
    done = CliRunner().invoke(app, ["check", str(file)])
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert remedy in said
    assert said.count("192.168.1.10") == 2
