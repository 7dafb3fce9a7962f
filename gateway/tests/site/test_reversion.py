"""What becomes of a set-point when its node is lost: each product says it, and what nothing ends is bounded."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.adapters.node.poll_tables import Wiring, compile_table
from gateway.adapters.products.profiles import ProfileError, find, load, names
from gateway.adapters.products.setpoints import Rating, allowed_w
from gateway.cli import app
from gateway.paths import config_folder
from gateway.site.assembly.building import core_site
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.file import site_file
from gateway.site.file.site_file import SiteFile

SHIPPED = {  # product -> (how it ends, after how many s)
    "keba_p30": ("armed", 30.0),
    "lambda_eu_l": ("built_in", 60.0),
    "mypv_acthor": ("setting", 60.0),
    "sma_sunny_boy_storage": ("setting", 60.0),
    "sma_sunny_tripower": ("setting", 60.0),
    "stiebel_isg_wpm": ("none", None),
    "waveshare_relay": ("none", None),
}
PROFILE = json.loads((config_folder() / "devices" / "sma_sunny_boy_storage.json").read_text())


def test_each_product_that_is_commanded_says_what_ends_its_set_point() -> None:
    profiles = [find(name, config_folder()) for name in names(config_folder())]
    commanded = {profile.id: profile.setpoint for profile in profiles if profile.setpoint}
    assert {id_: (one.reversion, one.device_timeout_s) for id_, one in commanded.items()} == SHIPPED


def own_site(folder: Path, setpoint: dict[str, Any], **control: float) -> SiteFile:
    """The demo's building with a battery of a product of its own."""
    (folder / "devices").mkdir()
    own = PROFILE | {"id": "own", "setpoint": PROFILE["setpoint"] | setpoint}
    (folder / "devices" / "own.json").write_text(json.dumps(own))
    text = (config_folder() / "demo" / "site.toml").read_text().replace("sma_sunny_boy_storage", "own")
    for name, value in control.items():
        before = next(line for line in text.splitlines() if line.startswith(f"{name} ="))
        text = text.replace(before, f"{name} = {value}")
    path = folder / "site.toml"
    path.write_text(text)
    return site_file.read(path)


NEVER: dict[str, Any] = {"device_timeout_s": None, "timer": "built_in"}


@pytest.mark.parametrize(
    ("setpoint", "control", "charge_w", "discharge_w", "raw"),
    [
        ({}, {}, 5000, 5000, [-5000, 5000]),
        ({}, {"export_limit_w": 2000}, 5000, 5000, [-5000, 5000]),  # it ends by itself
        (NEVER, {"export_limit_w": 2000, "import_limit_w": 3000}, 3000, 2000, [-5000, 5000]),
        # the raw numbers of this product count discharging positive
        (NEVER | {"may_stay": [-1500, 1000]}, {}, 1000, 1500, [-1000, 1500]),
    ],
)
def test_what_nothing_ends_is_ordered_within_what_may_stay(
    tmp_path: Path,
    setpoint: dict[str, Any],
    control: dict[str, float],
    charge_w: float,
    discharge_w: float,
    raw: list[int],
) -> None:
    file = own_site(tmp_path, setpoint, **control)
    [battery] = core_site(file).batteries
    assert (battery.charge_max_w, battery.discharge_max_w) == (charge_w, discharge_w)
    assert battery.reverts_after_s == (math.inf if setpoint else 60.0)
    [actuator] = json.loads(poll_tables(file)["cellar"].text)["actuators"]
    assert actuator["set"][0][2:] == raw  # the node itself refuses what lies outside


def test_a_switch_that_must_not_stay_on_is_not_ordered_at_all() -> None:
    relay = find("waveshare_relay", config_folder())
    assert relay.setpoint is not None
    rating = Rating(rated_w=600.0)
    assert allowed_w(relay, (0.0, 600.0), rating) == (0.0, 600.0)
    off = relay.setpoint.model_copy(update={"may_stay": (0.0, 0.0)})
    assert allowed_w(relay.model_copy(update={"setpoint": off}), (0.0, 600.0), rating) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("setpoint", "message"),
    [
        ({"may_stay": [0, 1]}, "may_stay is for a product without device_timeout_s"),
        (NEVER | {"timer": "setting"}, "timer is for a product with device_timeout_s"),
        (NEVER | {"may_stay": [1, 2]}, "may_stay goes from 0 or below"),
        (
            {"arm": [{"address": 1, "type": "uint16", "value": 1}]},
            "timer is for a product with device_timeout_s that arm",
        ),
    ],
)
def test_a_mistake_about_it_is_told(tmp_path: Path, setpoint: dict[str, Any], message: str) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps(PROFILE | {"id": "own", "setpoint": PROFILE["setpoint"] | setpoint}))
    with pytest.raises(ProfileError, match=message):
        load(path)


def test_a_timer_of_the_device_is_set_before_each_set_point_and_renewed_at_half_of_it() -> None:
    profile = find("keba_p30", config_folder())
    bus = {"kind": "tcp", "host": "10.0.0.7", "port": 502, "timeout_ms": 1000, "gap_ms": 0}
    wiring = Wiring(
        device="car", profile=profile, bus=bus, unit=255, range_w=(0.0, 3680.0), rating=Rating(rated_w=3680.0)
    )
    [actuator] = json.loads(compile_table("cellar", [wiring], 10_000).text)["actuators"]
    assert actuator["arm"] == [[5016, [6000]], [5018, [30]]]
    assert actuator["refresh_ms"] == 15_000


@pytest.mark.parametrize(("setpoint", "word"), [({}, "60 s"), (NEVER, "for ever")])
def test_the_check_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setpoint: dict[str, Any], word: str
) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    own_site(tmp_path, setpoint)
    said = CliRunner().invoke(app, ["check", str(tmp_path / "site.toml")])
    assert said.exit_code == 0
    line = " ".join(said.output.split()).partition("battery: ")[2]
    assert word in line
