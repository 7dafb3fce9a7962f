"""What people and their appliances draw, in watts, when no file is replayed."""

import math
import random
from dataclasses import dataclass

from gateway.simulator.settings.config import Load


@dataclass(frozen=True, slots=True, kw_only=True)
class Appliance:
    """Draws `power_w` for `on_s`, once in each `every_s`, up to `spread_s` later than its turn."""

    name: str
    power_w: float
    on_s: float
    every_s: float
    spread_s: float
    first_s: float


# Orders of magnitude of household appliances; spread + on stays below every, so that turns never overlap.
HABITS = (
    Appliance(name="fridge", power_w=85.0, on_s=900.0, every_s=2700.0, spread_s=240.0, first_s=200.0),
    Appliance(name="microwave", power_w=1250.0, on_s=120.0, every_s=3100.0, spread_s=900.0, first_s=1500.0),
    Appliance(name="washing machine", power_w=1950.0, on_s=720.0, every_s=21600.0, spread_s=5400.0, first_s=2400.0),
)


class Turns:
    """The switching of one appliance: a function of time and seed alone."""

    def __init__(self, appliance: Appliance, *, seed: int, start_s: float) -> None:
        self._appliance = appliance
        self._seed = seed
        self._origin_s = start_s + appliance.first_s
        self._turn = -1
        self._turn_start_s = math.inf

    def power_w(self, utc_s: float) -> float:
        """Its power at a moment."""
        turn = math.floor((utc_s - self._origin_s) / self._appliance.every_s)
        if turn < 0:
            return 0.0
        if turn != self._turn:
            self._turn = turn
            late_s = random.Random(f"{self._appliance.name} {self._seed} {turn}").random() * self._appliance.spread_s
            self._turn_start_s = self._origin_s + turn * self._appliance.every_s + late_s
        on = 0.0 <= utc_s - self._turn_start_s < self._appliance.on_s
        return self._appliance.power_w if on else 0.0


class Household:
    """A generated base load: a floor, slow small changes, and appliances that switch."""

    def __init__(self, settings: Load, *, seed: int, start_s: float) -> None:
        self._settings = settings
        self._start_s = start_s
        draw = random.Random(f"household {seed}")
        self._waves = [(draw.uniform(0.0, math.tau), math.tau / period_s) for period_s in (7.3, 31.0, 127.0, 613.0)]
        habits = (*(HABITS if settings.appliances else ()), *_kettle(settings))
        self._turns = [Turns(appliance, seed=seed, start_s=start_s) for appliance in habits]

    def power_w(self, utc_s: float) -> float:
        """The load at a moment, never negative."""
        elapsed_s = utc_s - self._start_s
        wave = sum(math.sin(phase + speed * elapsed_s) for phase, speed in self._waves) / len(self._waves)
        drawn_w = sum(turns.power_w(utc_s) for turns in self._turns)
        return self._settings.scale * max(0.0, self._settings.base_w + self._settings.noise_w * wave + drawn_w)


def _kettle(settings: Load) -> list[Appliance]:
    """The kettle boils first a quarter of its interval after the start: soon, but not at once."""
    every_s = settings.kettle_every_s
    if every_s <= settings.kettle_s:
        return []
    spread_s = min(0.1 * every_s, every_s - settings.kettle_s)
    return [
        Appliance(
            name="kettle",
            power_w=settings.kettle_w,
            on_s=settings.kettle_s,
            every_s=every_s,
            spread_s=spread_s,
            first_s=every_s / 4.0,
        )
    ]
