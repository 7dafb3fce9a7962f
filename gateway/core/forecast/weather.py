"""PV from a weather feed, used only as far as it has proved itself on this roof."""

from dataclasses import dataclass

import numpy as np

from gateway.core.forecast.past_days import Series
from gateway.core.model.levels import Floats

SKILL_DAYS = 14
FEWEST_DAYS = 3  # before that nothing is known of the feed, and it has no say
BIAS = (0.5, 2.0)  # a feed farther off than this describes another roof


@dataclass(frozen=True, slots=True, kw_only=True)
class PvForecast:
    """`members_w` (members x steps, W, PV negative): what the feed says of the coming steps.

    `past_w`: what it had said, about a day ahead, of each step of the history; NaN where nothing.
    """

    members_w: Floats
    past_w: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """`share` (0…1) of the scenarios that the feed deserves, and the factor that takes its bias away."""

    share: float
    factor: float


NO_SKILL = Skill(share=0.0, factor=1.0)


def skill(series: Series, past: Floats, own: Floats, real: Floats) -> Skill:
    """How the feed did on the last two weeks beside our own expectation.

    `past` as `series` positive; `own` and `real`: mean power of the day that began 0, 1 … days ago. Shares go with the
    inverse squares of the mean absolute errors of a day's energy.
    """
    told = Series.of(np.where(np.isfinite(series.values), past, np.nan), series.step_s)
    ages = np.arange(1, min(SKILL_DAYS + 1, len(real)), dtype=np.intp)
    feed = told.means(len(series.values) - (ages - 1) * series.day, 24.0)
    known = np.isfinite(feed) & np.isfinite(real[ages]) & np.isfinite(own[ages])
    if known.sum() < FEWEST_DAYS or feed[known].sum() <= 0.0:
        return NO_SKILL
    seen, feed, ours = real[ages][known], feed[known], own[ages][known]
    factor = float(np.clip(seen.sum() / feed.sum(), *BIAS))
    feed_error = float(np.abs(factor * feed - seen).mean()) ** 2
    own_error = float(np.abs(ours - seen).mean()) ** 2
    total = feed_error + own_error
    return Skill(share=own_error / total if total > 0.0 else 0.5, factor=factor)


def blended(suns: Floats, weights: Floats, weather: PvForecast, found: Skill) -> tuple[Floats, Floats]:
    """The suns (days x steps, positive) and weights of our own with the feed's members beside them, by their share."""
    members = np.maximum(-weather.members_w, 0.0) * found.factor
    if not len(members) or found.share <= 0.0 or not np.isfinite(members).all():
        return suns, weights
    each = np.full(len(members), found.share / len(members))
    return np.concatenate([suns, members]), np.concatenate([(1.0 - found.share) * weights, each])
