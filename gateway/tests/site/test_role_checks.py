"""A product that cannot do what its role needs is a mistake with its place, before anything is controlled with it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.products import profiles
from gateway.paths import config_folder
from gateway.site.file import site_file
from gateway.site.file.role_checks import ROLE_NEEDS
from gateway.site.file.site_file import SiteFileError

DEMO = (config_folder() / "demo" / "site.toml").read_text()
BATTERY, METER, SUN, SMA = "sma_sunny_boy_storage", "eastron_sdm630", "sunspec_inverter", "sma_sunny_tripower"
Change = Callable[[dict[str, Any]], object]


def point(name: str, **change: object) -> Change:
    def apply(profile: dict[str, Any]) -> None:
        next(one for one in profile["points"] if one["name"] == name).update(change)

    return apply


def without(name: str) -> Change:
    def apply(profile: dict[str, Any]) -> None:
        profile["points"] = [one for one in profile["points"] if one["name"] != name]
        profile.pop("proofs", None)

    return apply


def target(**change: object) -> Change:
    return lambda profile: profile["setpoint"]["point"].update(change)


def site_with(folder: Path, product: str, change: Change, *edits: tuple[str, str]) -> Path:
    """The demo's site file with a changed product of this name in `devices/` beside it."""
    made = json.loads((config_folder() / "devices" / f"{product}.json").read_text())
    change(made)
    (folder / "devices").mkdir()
    (folder / "devices" / f"{product}.json").write_text(json.dumps(made))
    text = DEMO
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "site.toml").write_text(text)
    return folder / "site.toml"


CURTAILED = (
    ('profile = "sunspec_inverter"', 'profile = "sma_sunny_tripower"'),
    ('role = "pv"', 'role = "pv"\ninverter = { rated_w = 5000 }'),
)
# product, what is wrong with it, edits of the site file, place of the mistake, words of what is allowed
ROWS = [
    (BATTERY, lambda p: p.pop("setpoint"), (), "devices.battery.profile", "one that takes set-points"),
    (BATTERY, without("soc"), (), "devices.battery.profile", "a product that reports soc every 15 s"),
    (BATTERY, point("soc", every_s=60), (), "devices.battery.profile", "a product that reports soc every 15 s"),
    (BATTERY, point("soc", scale=1, high=100), (), "devices.battery.profile", "soc from 0 to 1 (as a fraction of 1)"),
    (BATTERY, without("p_w"), (), "devices.battery.profile", "a product that reports p_w every 2 s"),
    (BATTERY, point("p_w", low=0), (), "devices.battery.profile", "p_w that can be below 0 and above 0 (W)"),
    (BATTERY, point("p_w", high=0), (), "devices.battery.profile", "p_w that can be below 0 and above 0 (W)"),
    (BATTERY, point("p_w", type="uint32"), (), "devices.battery.profile", "p_w that can be below 0 and above 0 (W)"),
    (BATTERY, point("p_w", every_s=5), (), "devices.battery.profile", "a product that reports p_w every 2 s"),
    (BATTERY, target(unit="share"), (), "devices.battery.profile", "for role battery one of which it is W"),
    (BATTERY, target(unit="A"), (), "devices.battery.profile", "for role battery one of which it is W"),
    (BATTERY, target(unit="switch", sign=1, on=1, off=0), (), "devices.battery.profile", "for role battery one of"),
    (BATTERY, target(type="uint32"), (), "devices.battery.profile", "set-points from -5000 to 5000 W"),
    (BATTERY, target(type="int16", scale=0.1), (), "devices.battery.profile", "set-points from -5000 to 5000 W"),
    (BATTERY, lambda p: p.update(roles=["pv"]), (), "devices.battery.role", "pv"),
    (METER, without("p_w"), (), "devices.grid.profile", "a product that reports p_w every 2 s"),
    (METER, point("p_w", every_s=3), (), "devices.grid.profile", "a product that reports p_w every 2 s"),
    (METER, point("p_w", high=0), (), "devices.grid.profile", "p_w that can be above 0 (W)"),
    (SUN, without("p_w"), (), "devices.pv.profile", "a product that reports p_w every 3 s"),
    (SUN, point("p_w", every_s=30), (), "devices.pv.profile", "a product that reports p_w every 3 s"),
    (SUN, point("p_w", low=0), (), "devices.pv.profile", "p_w that can be below 0 (W)"),
    (SUN, point("p_w", type="uint16", sign=1), (), "devices.pv.profile", "p_w that can be below 0 (W)"),
    (SMA, target(unit="A"), CURTAILED, "devices.pv.profile", "for role pv one of which it is W or share"),
    (SMA, target(unit="switch", scale=1.0, sign=1, on=1, off=0), CURTAILED, "devices.pv.profile", "W or share"),
    (SMA, target(type="uint16", sign=1), CURTAILED, "devices.pv.profile", "set-points from -5000 to 0 W"),
    (BATTERY, point("p_w", scale=0), (), "devices.battery.profile", "a profile without mistakes"),
    (BATTERY, target(scale=0), (), "devices.battery.profile", "a profile without mistakes"),
    (METER, point("p_w", low=100_000), (), "devices.grid.profile", "a profile without mistakes"),
]


@pytest.mark.parametrize(("product", "change", "edits", "path", "allowed"), ROWS)
def test_what_a_role_needs_and_a_product_lacks_is_a_mistake_at_its_place(
    tmp_path: Path, product: str, change: Change, edits: tuple[tuple[str, str], ...], path: str, allowed: str
) -> None:
    file = site_with(tmp_path, product, change, *edits)
    with pytest.raises(SiteFileError) as caught:
        site_file.read(file)
    found = {mistake.path: mistake for mistake in caught.value.mistakes}
    assert set(found) == {path}
    assert allowed in found[path].allowed


def test_each_role_has_its_needs() -> None:
    assert set(ROLE_NEEDS) == set(profiles.Role.__args__)


def test_zen_check_tells_them_without_a_traceback(tmp_path: Path) -> None:
    file = site_with(tmp_path, BATTERY, target(unit="share"))
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "check", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "devices.battery.profile" in done.stderr
    assert "Traceback" not in done.stderr
