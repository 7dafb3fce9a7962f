"""Production of a PV plant under passing clouds, in watts and positive (the building turns the sign)."""

import random
from dataclasses import dataclass

from gateway.simulator.physics.sun import Plane, clear_sky
from gateway.simulator.settings.config import Pv

PERFORMANCE = (
    0.85  # heat, wiring, dirt and inverter together; a usual performance ratio of roofs in the north of France
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A cloud between `start_s` and `end_s` (unix): its edges last `edge_s`, it lets `through` of the beam pass.

    Around it the bright rim of the cloud adds `rim` to the beam for `rim_s`: a plant then gives more than under a
    clear sky.
    """

    start_s: float
    end_s: float
    edge_s: float
    through: float
    rim: float
    rim_s: float

    def beam_share(self, utc_s: float) -> float:
        """Share of the clear-sky beam at a moment, 0 to about 1.2."""
        inside_s = min(utc_s - self.start_s, self.end_s - utc_s)  # negative: outside of the cloud
        if inside_s >= 0.0:
            return 1.0 - (1.0 - self.through) * min(inside_s / self.edge_s, 1.0)
        near = max(0.0, 1.0 + inside_s / self.rim_s)
        # The rim grows towards the cloud and gives way to the edge within its last second.
        return 1.0 + self.rim * near * min(-inside_s, 1.0)


class Clouds:
    """A seeded sky of scattered cumulus: passages one after the other, the same for each step width.

    Moments must not go back by more than one passage.
    """

    def __init__(self, *, seed: int, start_s: float) -> None:
        self._random = random.Random(f"clouds {seed}")
        self._passage = self._next(start_s)
        self._following = self._next(self._passage.end_s)

    def beam_share(self, utc_s: float) -> float:
        """Share of the clear-sky beam that reaches the plane."""
        while utc_s > (self._passage.end_s + self._following.start_s) / 2.0:
            self._passage = self._following
            self._following = self._next(self._passage.end_s)
        return self._passage.beam_share(utc_s)

    def _next(self, after_s: float) -> Passage:
        draw = self._random
        start_s = after_s + 15.0 + draw.expovariate(1.0 / 60.0)
        edge_s = draw.uniform(2.0, 6.0)
        return Passage(
            start_s=start_s,
            end_s=start_s + 2.0 * edge_s + draw.expovariate(1.0 / 30.0),
            edge_s=edge_s,
            through=draw.uniform(0.1, 0.5),
            rim=draw.uniform(0.05, 0.2),
            rim_s=draw.uniform(3.0, 7.0),
        )


class Roof:
    """A generator of production from the sun, a plane and clouds."""

    def __init__(self, settings: Pv, *, seed: int, start_s: float) -> None:
        self._kwp = settings.kwp
        self._scale = settings.scale
        self._plane = Plane(
            latitude_deg=settings.latitude_deg,
            longitude_deg=settings.longitude_deg,
            tilt_deg=settings.tilt_deg,
            azimuth_deg=settings.azimuth_deg,
        )
        self._clouds = Clouds(seed=seed, start_s=start_s) if settings.clouds else None

    def power_w(self, utc_s: float) -> float:
        """Production before the inverter's limit; 1000 W/m2 give the rated power times the performance ratio."""
        light = clear_sky(utc_s, self._plane)
        share = self._clouds.beam_share(utc_s) if self._clouds else 1.0
        # A cloud scatters part of what it takes: the diffuse light grows up to a half under it.
        diffuse = light.diffuse_w_m2 * (1.0 + 0.5 * max(0.0, 1.0 - share))
        return self._kwp * self._scale * PERFORMANCE * (light.beam_w_m2 * share + diffuse)
