"""Production that is planned like a load: an inverter that can be curtailed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Curtailable:
    """An inverter that can be curtailed."""

    id: str  # of its device
    rated_w: float  # its full power (W), above 0

    def __post_init__(self) -> None:
        """Raises ValueError without a power."""
        if not self.rated_w > 0.0:
            raise ValueError(f"an inverter has a power: {self}")
