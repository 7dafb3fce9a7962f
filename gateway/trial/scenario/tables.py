"""The house and the site that a scenario starts from, with its own tables merged over them."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from gateway import paths
from gateway.rig.toml_text import merged

Like = Literal["demo", "loads", "nothing"]
Tables = dict[str, Any]


def shipped(like: Like) -> tuple[Tables, Tables]:
    """House and site tables as they are shipped: of the demo, with its flexible loads, or empty."""
    if like == "nothing":
        return {}, {}
    folder = paths.config_folder() / "demo"
    house, site = (_read(folder / name) for name in ("house.toml", "site.toml"))
    if like == "loads":
        more = _read(folder / "loads.toml")
        house, site = merged(house, more["house"]), merged(site, more["site"])
    return house, site


def placed(house: Mapping[str, Any], site: Mapping[str, Any]) -> tuple[Tables, Tables]:
    """Both with the places that a run gives to what they name: each load of the house is served, and found there."""
    there = [name for name in site.get("devices", {}) if name in ("car", "tank", "heat-pump")]
    serve: Tables = {name.replace("-", "_"): {} for name in there if name.replace("-", "_") in house}
    own: Tables = {"devices": {name: {"host": "127.0.0.1"} for name in there}}
    return merged({"serve": serve}, house) if serve else dict(house), merged(own, site) if there else dict(site)


def _read(path: Path) -> Tables:
    return tomllib.loads(path.read_text(encoding="utf-8"))
