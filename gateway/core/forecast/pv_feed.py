"""PV production from a weather feed, used only as far as it has proved itself on this roof."""

from dataclasses import dataclass

import numpy as np

from gateway.core.forecast.expected_day import expected_days
from gateway.core.forecast.method import ForecastMethod
from gateway.core.forecast.past_days import PastSeries
from gateway.core.forecast.similar_days import CandidateDays
from gateway.core.model.history import History
from gateway.core.model.levels import Floats

SKILL_DAYS = 14  # on which the feed is judged: two weeks, short enough to notice a feed that gets worse
FEWEST_DAYS = 3  # before that nothing is known of the feed, and it has no say
BIAS = (0.5, 2.0)  # a feed farther off than this describes another roof


@dataclass(frozen=True, slots=True, kw_only=True)
class PvForecast:
    """What a weather feed says about the production of this roof, now and in the past."""

    # Mean power of the coming steps (members x steps, W, PV negative); all members are equally likely.
    members_w: Floats
    # What the feed had said, about a day ahead, of each step of the history (W, PV negative); NaN where nothing.
    past_w: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSkill:
    """How much weight the weather feed's PV forecast deserves."""

    # Share of the scenarios (0…1) that the feed deserves.
    share: float
    # What its production is multiplied with, so that its bias goes.
    factor: float


NO_SKILL = FeedSkill(share=0.0, factor=1.0)  # no scenario comes from the feed, and nothing of it is scaled


def with_feed(own: CandidateDays, history: History, feed: PvForecast | None, method: ForecastMethod) -> CandidateDays:
    """Our own candidates, and beside them the feed's members by the share they deserve; ours alone without a feed."""
    if feed is None:
        return own
    record = PastSeries.of(-history.pv_w, history.step_s)
    before, real_w = record.last_sunshine(method.days), record.day_means(method.days)
    said = PastSeries.of(np.where(np.isfinite(record.values), -feed.past_w, np.nan), record.step_s)
    said_w = said.day_means(method.days)
    return blended(own, feed, skill(said_w[1:], expected_days(real_w, before, method)[1:], real_w[1:]))


def skill(said_w: Floats, own_w: Floats, real_w: Floats) -> FeedSkill:
    """How the feed did on the last two weeks beside our own expectation.

    All three: mean production of the day that began 1, 2 … days ago, as the feed had said, as we expected and as it
    came; NaN where unknown. Shares go with the inverse squares of the mean absolute errors.
    """
    said_w, own_w, real_w = said_w[:SKILL_DAYS], own_w[:SKILL_DAYS], real_w[:SKILL_DAYS]
    known = np.isfinite(said_w) & np.isfinite(real_w) & np.isfinite(own_w)
    if known.sum() < FEWEST_DAYS or said_w[known].sum() <= 0.0:
        return NO_SKILL
    real, said, own = real_w[known], said_w[known], own_w[known]
    factor = float(np.clip(real.sum() / said.sum(), *BIAS))
    feed_error = float(np.abs(factor * said - real).mean()) ** 2
    own_error = float(np.abs(own - real).mean()) ** 2
    total = feed_error + own_error
    return FeedSkill(share=own_error / total if total > 0.0 else 0.5, factor=factor)


def blended(own: CandidateDays, feed: PvForecast, found: FeedSkill) -> CandidateDays:
    """Both together; our own alone where the feed deserves nothing or does not reach far enough."""
    members_w = np.maximum(-feed.members_w, 0.0) * found.factor
    if not len(members_w) or found.share <= 0.0 or not np.isfinite(members_w).all():
        return own
    each = np.full(len(members_w), found.share / len(members_w))
    return CandidateDays(
        np.concatenate([own.paths_w, members_w]), np.concatenate([(1.0 - found.share) * own.weights, each])
    )
