"""What is usual at a time of the day and of the week in a building, and how its last hours differed from that."""

import numpy as np

from gateway.core.model.levels import Floats

DAY_S = 86400.0
HOUR_S = 3600.0
QUICK_DAYS, SLOW_DAYS, WEEKS = 6.0, 21.0, 4.0  # memories of the profiles
SPANS_H = (1.0, 3.0, 24.0)  # the last hours that are compared with the profile
CLEAREST = 2.0  # a ratio to the profile is cut here: at dawn it divides two small numbers


class Profiles:
    """Means of several series by time of day (quick, slow) and of week, and their last days; NaN where unknown."""

    def __init__(self, series: int, *, step_s: float, days: int) -> None:
        self.day = round(DAY_S / step_s)
        self.count = 0
        self._spans = [max(1, round(hours * HOUR_S / step_s)) for hours in SPANS_H]
        self._quick = np.full((series, self.day), np.nan)
        self._slow = np.full((series, self.day), np.nan)
        self._week = np.zeros((series, 7 * self.day))  # deviation from the slow profile
        self._past = np.full((series, days * self.day), np.nan)
        self._usual = np.full((series, days * self.day), np.nan)  # the quick profile as it was before each step

    def learn(self, values: Floats) -> None:
        """Take the values of one step, shape (series,), NaN where missing."""
        slot, week, place = self.count % self.day, self.count % (7 * self.day), self.count % self._past.shape[1]
        self._past[:, place], self._usual[:, place] = values, self._quick[:, slot]
        self._quick[:, slot] = _towards(self._quick[:, slot], values, 1.0 / QUICK_DAYS)
        self._slow[:, slot] = _towards(self._slow[:, slot], values, 1.0 / SLOW_DAYS)
        self._week[:, week] = _towards(self._week[:, week], values - self._slow[:, slot], 1.0 / WEEKS)
        self.count += 1

    def ahead(self, leads: int) -> dict[str, Floats]:
        """For the coming steps, shape (series, leads): profiles, and the latest value whole days or weeks before."""
        steps = self.count + np.arange(leads)
        quick = np.nan_to_num(self._quick[:, steps % self.day])
        slow = np.nan_to_num(self._slow[:, steps % self.day])
        return {
            "quick": quick,
            "slow": slow,
            "week": self._week[:, steps % (7 * self.day)],
            "day_before": _known(self._before(steps, self.day) - quick),
            "week_before": _known(self._before(steps, 7 * self.day) - slow),
        }

    def differences(self) -> Floats:
        """Mean of (value - profile) over the last 1, 3 and 24 hours, shape (series, 3); 0 where unknown."""
        return np.stack([self._last(span)[0] for span in self._spans], axis=-1)

    def ratios(self) -> Floats:
        """Value through profile over the last 1, 3 and 24 hours, less one; 0 where the profile has none (night)."""
        return np.stack([np.nan_to_num(self._last(span)[1]) for span in self._spans], axis=-1)

    def _before(self, steps: np.ndarray, period: int) -> Floats:
        back = (steps - self.count) // period + 1
        at = steps - back * period
        held = self._past[:, at % self._past.shape[1]]
        return np.where(at >= 0, held, np.nan)

    def _last(self, span: int) -> tuple[Floats, Floats]:
        places = np.arange(self.count - span, self.count)
        past, usual = self._past[:, places % self._past.shape[1]], self._usual[:, places % self._past.shape[1]]
        both = np.isfinite(past) & np.isfinite(usual)
        value = np.where(both, past, 0.0).sum(axis=1)
        expected = np.where(both, usual, 0.0).sum(axis=1)
        difference = (value - expected) / np.maximum(both.sum(axis=1), 1)
        lit = expected > 1e-3 * np.nan_to_num(self._quick).max(axis=1) * span
        ratio = np.clip(np.divide(value, expected, out=np.ones_like(value), where=lit), 0.0, CLEAREST) - 1.0
        return difference, np.where(lit, ratio, np.nan)


def _towards(old: Floats, new: Floats, share: float) -> Floats:
    moved = np.where(np.isnan(old), new, old + share * (new - old))
    return np.where(np.isnan(new), old, moved)


def _known(values: Floats) -> Floats:
    return np.where(np.isnan(values), 0.0, values)
