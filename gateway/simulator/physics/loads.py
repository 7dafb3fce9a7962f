"""The flexible loads of a building: those that its file names, stepped together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from gateway.simulator.physics.car import Car
from gateway.simulator.physics.heat_pump import HeatPump
from gateway.simulator.physics.pool_pump import PoolPump
from gateway.simulator.physics.tank import Tank
from gateway.simulator.settings.config import HouseConfig


class FlexibleLoad(Protocol):
    """Something that draws power by the clock and by what it is sent."""

    obeys: bool
    goes_on_w: float | None

    @property
    def shares(self) -> tuple[float, float, float]:
        """How its power hangs on the three phases; they add up to 1."""

    def advance(self, *, now_s: float, dt_s: float, local: datetime) -> float:
        """Live for `dt_s`; the mean power of that step, W."""


@dataclass(slots=True, kw_only=True)
class Loads:
    """None, one, two or all of them."""

    zone: tzinfo = UTC
    car: Car | None = None
    tank: Tank | None = None
    heat_pump: HeatPump | None = None
    pool_pump: PoolPump | None = None
    powers_w: dict[str, float] = field(default_factory=dict)
    used_wh: dict[str, float] = field(default_factory=dict)

    @property
    def by_name(self) -> Mapping[str, FlexibleLoad]:
        """Those that are there."""
        named: dict[str, FlexibleLoad | None] = {
            "car": self.car,
            "tank": self.tank,
            "heat_pump": self.heat_pump,
            "pool_pump": self.pool_pump,
        }
        return {name: load for name, load in named.items() if load is not None}

    @property
    def phases_w(self) -> tuple[float, float, float]:
        """Their powers on the three phases."""
        each = [[self.powers_w.get(name, 0.0) * share for share in load.shares] for name, load in self.by_name.items()]
        first, second, third = (sum(row[phase] for row in each) for phase in range(3))
        return first, second, third

    def advance(self, *, now_s: float, dt_s: float, utc_s: float) -> float:
        """Let them live; the sum of their powers, W."""
        loads = self.by_name
        if not loads:
            return 0.0
        local = datetime.fromtimestamp(utc_s, self.zone)
        for name, load in loads.items():
            power_w = load.advance(now_s=now_s, dt_s=dt_s, local=local)
            self.powers_w[name] = power_w
            self.used_wh[name] = self.used_wh.get(name, 0.0) + power_w * dt_s / 3600.0
        return sum(self.powers_w.values())


def loads_of(config: HouseConfig) -> Loads:
    """The loads that a house file names."""
    return Loads(
        zone=config.clock.zone,
        car=Car(config.car) if config.car else None,
        tank=Tank(config.tank) if config.tank else None,
        heat_pump=HeatPump(config.heat_pump) if config.heat_pump else None,
        pool_pump=PoolPump(config.pool_pump) if config.pool_pump else None,
    )
