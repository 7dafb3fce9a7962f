"""Loads and PV of the closed-loop bench: seeded, at the step of its building, made of the things that upset a loop."""

import numpy as np

from gateway.core.model.levels import Floats
from gateway.study.benches.closed_loop.virtual_building import STEP_S, Power


def as_power(values: Floats) -> Power:
    """The series as a function of time; holds its last value."""
    rows = values.tolist()
    last = len(rows) - 1
    return lambda t: float(rows[min(round(t / STEP_S), last)])


def flat(seconds: float, power_w: float) -> Floats:
    """The same power all the time."""
    return np.full(round(seconds / STEP_S) + 1, power_w)


def kettles(seconds: float, draw: np.random.Generator, *, power_w: float = 2200.0, every_s: float = 150.0) -> Floats:
    """Appliances that go on at once for 20 to 70 s, at random moments."""
    found = flat(seconds, 0.0)
    at_s = float(draw.uniform(20.0, 60.0))
    while at_s < seconds:
        for_s = float(draw.uniform(20.0, 70.0))
        found[round(at_s / STEP_S) : round((at_s + for_s) / STEP_S)] += power_w * float(draw.uniform(0.6, 1.2))
        at_s += for_s + float(draw.exponential(every_s))
    return found


def thermostat(seconds: float, draw: np.random.Generator, *, power_w: float = 2000.0, cycle_s: float = 30.0) -> Floats:
    """An oven or a hob: on for some 40 % of a short cycle."""
    phase = (np.arange(round(seconds / STEP_S) + 1) * STEP_S + draw.uniform(0.0, cycle_s)) % cycle_s
    return np.asarray(np.where(phase < 0.4 * cycle_s, power_w, 0.0))


def ramping(seconds: float, draw: np.random.Generator, *, power_w: float = 1500.0) -> Floats:
    """A heat pump with inverter: up and down over minutes."""
    t = np.arange(round(seconds / STEP_S) + 1) * STEP_S
    return np.asarray(power_w * (0.5 + 0.5 * np.sin(2 * np.pi * (t / 400.0 + draw.uniform()))))


def clouds(seconds: float, draw: np.random.Generator, *, peak_w: float, edge_s: float = 8.0) -> Floats:
    """PV (≤ 0): clear or shaded for random times, with edges of some seconds, and a slow wave above."""
    count = round(seconds / STEP_S) + 1
    share, at, dark = np.ones(count), 0, bool(draw.integers(2))
    while at < count:
        for_s = draw.exponential(45.0 if dark else 70.0) + 5.0
        share[at : at + round(for_s / STEP_S)] = draw.uniform(0.2, 0.5) if dark else draw.uniform(0.85, 1.0)
        at, dark = at + round(for_s / STEP_S), not dark
    width = max(round(edge_s / STEP_S), 1)
    smooth = np.convolve(np.pad(share, (width, width), mode="edge"), np.ones(width) / width, mode="same")
    return -peak_w * np.asarray(smooth[width:-width])


def hum(seconds: float, draw: np.random.Generator, *, power_w: float = 300.0, noise_w: float = 8.0) -> Floats:
    """What always runs: a floor with a slow wander."""
    steps = draw.normal(0.0, noise_w * np.sqrt(STEP_S / 5.0), round(seconds / STEP_S) + 1)
    wander = np.zeros_like(steps)
    level = 0.0
    for i, step in enumerate(steps):
        level = 0.999 * level + step
        wander[i] = level
    return np.asarray(np.maximum(power_w + wander, 50.0))
