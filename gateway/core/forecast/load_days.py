"""Loads that may come: past days by the local clock, each moved to where the coming day is expected."""

from datetime import tzinfo

import numpy as np
from numpy.typing import NDArray

from gateway.core.forecast.expected_day import moves, widened
from gateway.core.forecast.method import ForecastMethod
from gateway.core.forecast.outdoor import OutdoorTemperatures, day_degrees, follows_cold
from gateway.core.forecast.past_days import PastSeries, clock_shift
from gateway.core.forecast.similar_days import CandidateDays, day_weights, filled, weekdays_favoured
from gateway.core.model.history import History
from gateway.core.model.levels import Floats

HOURS_BEFORE = (24.0,)  # a day's load is compared by the 24 h before it


def load_days(
    history: History,
    *,
    days: int,
    steps: int,
    zone: tzinfo,
    method: ForecastMethod,
    prior_w: Floats | None,
    outdoor: OutdoorTemperatures | None,
) -> CandidateDays:
    """The last `days` days as candidates for the coming `steps`; `prior_w` where no day knows a step."""
    degrees = None if outdoor is None else day_degrees(outdoor, history.step_s, method.days)
    record = PastSeries.of(history.load_w, history.step_s)
    shift = clock_shift(history.end_s, history.step_s, days=days, steps=steps, zone=zone)
    paths_w = record.days_before(days, steps, shift)
    real_w = record.day_means(method.days)
    before = record.last_hours(HOURS_BEFORE, method.days)
    if degrees is not None and follows_cold(real_w[1:], degrees[1:, 0]):
        before = np.concatenate([before, degrees], axis=1)

    weights = day_weights(before[: days + 1], method.load_memory_days, method.load_similarity)
    weights = weekdays_favoured(weights, method.same_weekday)
    paths_w = _within(filled(paths_w, weights, prior_w, is_scaled=True), history, steps=steps, shift=shift)

    profile = weights @ paths_w
    share = profile / max(float(profile.mean()), 1e-9)  # the daily profile: when there is much, there is much to move
    moved_w = paths_w + moves(real_w, before, method)[1 : days + 1, None] * share
    mean_w = moved_w.mean(axis=1)
    return CandidateDays(np.asarray(moved_w + (widened(mean_w, weights) - mean_w)[:, None] * share), weights)


def _within(paths_w: Floats, history: History, *, steps: int, shift: NDArray[np.intp] | None) -> Floats:
    """The days with what they were filled up with moved between the bounds that are known of them."""
    if history.load_range_w is None:
        return paths_w
    low_w, high_w = (
        PastSeries.of(bound_w, history.step_s).days_before(len(paths_w), steps, shift)
        for bound_w in history.load_range_w.T
    )
    known = np.isfinite(low_w)
    return np.where(known, np.clip(paths_w, np.where(known, low_w, 0.0), np.where(known, high_w, np.inf)), paths_w)
