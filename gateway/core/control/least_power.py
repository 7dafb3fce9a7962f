"""From which power on a converter pays: below it, it loses more than the energy that it moves brings."""

import math

from gateway.core.model.plan import Slot
from gateway.core.model.site import Battery

START = 1.5  # a resting converter starts at so many times the least power, so that it is not switched at each step
PLAIN_RATIO = 0.5  # value of a stored kWh to the price of a drawn one without a plan: any net benefit will do
LEAST_RATIO, MOST_RATIO = 0.2, 0.9  # of value to price: beyond them a plan's rounding would decide


def least_w(battery: Battery, slot: Slot | None, *, charging: bool) -> float:
    """Least power (W, > 0) with a net benefit; 0 where nothing is known of the losses.

    Discharging p saves p at the buying price and takes p + loss at the value of what is stored; charging stores
    p - loss and gives away p at the selling price.
    """
    ratio = _ratio(slot, charging=charging)
    margin = (1.0 - ratio) / ratio - battery.loss_linear if not charging else 1.0 - ratio - battery.loss_linear
    # margin * p >= constant + quadratic * p²: the smaller root; without a root the power does not matter any more
    constant, quadratic = battery.loss_constant_w, battery.loss_quadratic_per_w
    if constant == 0.0:
        return battery.min_power_w
    limit_w = battery.charge_max_w if charging else battery.discharge_max_w
    if margin <= 0.0 or margin**2 < 4 * constant * quadratic:
        return max(battery.min_power_w, math.sqrt(constant / quadratic) if quadratic else limit_w)
    root = math.sqrt(margin**2 - 4 * constant * quadratic)
    return max(battery.min_power_w, 2 * constant / (margin + root))


def pays_off(power_w: float, battery: Battery, slot: Slot | None, *, was_running: bool) -> bool:
    """Whether running at this power (W, charging positive) brings more than it loses."""
    need_w = least_w(battery, slot, charging=power_w > 0.0) * (1.0 if was_running else START)
    return abs(power_w) >= need_w


def _ratio(slot: Slot | None, *, charging: bool) -> float:
    """Charging: price of what is given up to the value of what is stored. Discharging: value to price saved."""
    if slot is None:
        return 0.0 if charging else PLAIN_RATIO
    if charging:
        return min(max(slot.sell / slot.value, 0.0), MOST_RATIO) if slot.value > 0.0 else 0.0
    ratio = slot.value / slot.buy if slot.buy > 0.0 else MOST_RATIO
    return min(max(ratio, LEAST_RATIO), MOST_RATIO)
