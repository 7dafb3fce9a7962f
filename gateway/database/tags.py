"""Where a row comes from: the tags by which the database finds and groups."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOrigin:
    """The building that rows are of."""

    site: str  # its id, as in the topics of its nodes
    building: str  # of several that are shown together, each with a gateway of its own
    roles: Mapping[str, str]  # by device

    def site_tags(self) -> dict[str, str]:
        """Of rows about the whole building."""
        return {"site": self.site, "building": self.building}

    def device_tags(self, device: str) -> dict[str, str]:
        """Of rows about one device."""
        return self.tags(device, self.roles[device])

    def tags(self, device: str, role: str) -> dict[str, str]:
        """Of rows about something that is no device of the site file, such as a node or a planned load."""
        return {**self.site_tags(), "device": device, "role": role}
