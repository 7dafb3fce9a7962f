"""What people call the parts of a building: read once from the site file."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.view.schema.cycle import SiteView


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLabel:
    """One device: its role, its product, the node that reads it, and its points in the order they are shown."""

    role: str
    title: str
    node: str
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The building with its devices, by id; `kinds` of loads by their names in the site file."""

    site: SiteView
    version: str
    devices: Mapping[str, DeviceLabel]
    kinds: Mapping[str, str]
