"""PV production that may come: past days by UTC, each scaled to where the coming day is expected."""

import numpy as np

from gateway.core.forecast.expected_day import moves, scale_factors
from gateway.core.forecast.method import ForecastMethod
from gateway.core.forecast.past_days import PastSeries
from gateway.core.forecast.season import in_season
from gateway.core.forecast.similar_days import CandidateDays, day_weights, filled
from gateway.core.model.history import History
from gateway.core.model.levels import Floats


def pv_days(
    history: History, *, days: int, steps: int, method: ForecastMethod, prior_w: Floats | None
) -> CandidateDays:
    """The last `days` days as candidates for the coming `steps` (production positive), never above the best of them.

    The rest of today has an expectation of its own: it is far surer than tomorrow. `prior_w` (positive) where no
    day knows a step.
    """
    record = PastSeries.of(-in_season(history), history.step_s)
    before = record.last_sunshine(method.days)
    paths_w = record.days_before(days, steps)
    sunset = record.steps_to_sunset()
    spans = [span for span in (slice(0, sunset), slice(sunset, record.day)) if span.start < span.stop]
    real_w = [record.day_means(method.days, span) for span in spans]

    weights = day_weights(before[: days + 1], method.pv_memory_days, method.pv_similarity)
    paths_w = filled(paths_w, weights, prior_w)

    scale = np.ones(paths_w.shape)
    for span, real in zip(spans, real_w, strict=True):
        moved = moves(real, before, method)[1 : days + 1]
        scale[:, span.start :] = scale_factors(real[1 : days + 1], moved, weights)[:, None]
    return CandidateDays(np.minimum(paths_w * scale, np.maximum(paths_w, paths_w.max(axis=0))), weights)
