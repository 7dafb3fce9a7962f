"""Why a plan does what it does, each with both numbers of the comparison. Prices in EUR/kWh, energies in Wh.

Hours are told by the local clock; `begin_day` counts local days from the slot that gives the reason (0: the same day).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from gateway.core.model import Reason

PLAIN_RULE = Reason(code="plain_rule")  # nothing to gain by anything else
PLAN_FAILED = Reason(code="plan_failed")  # the planner gave none: the plain rule holds
FORECAST_MISSING = Reason(code="forecast_missing")  # too little history
WEATHER_MISSING = Reason(code="weather_missing")  # the roof's own past days stand in


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """From one moment to another (UTC), told in a zone and seen from the slot at `slot_s`."""

    slot_s: float
    begin_s: float
    end_s: float
    zone: tzinfo

    def numbers(self) -> Mapping[str, float]:
        """`begin_day`, and minutes of the day `begin_clock` and `end_clock`."""
        slot, begin, end = (datetime.fromtimestamp(t, self.zone) for t in (self.slot_s, self.begin_s, self.end_s))
        return {
            "begin_day": float((begin.date() - slot.date()).days),
            "begin_clock": float(begin.hour * 60 + begin.minute),
            "end_clock": float(end.hour * 60 + end.minute),
        }


def kept(*, kept_wh: float, worth: float, hours: Hours) -> Reason:
    """Stored energy is not given now: it is worth more in later hours."""
    return Reason(code="kept", numbers={"kept_wh": kept_wh, "worth_price": worth, **hours.numbers()})


def grid_charge(*, energy_wh: float, buy: float, worth: float, hours: Hours) -> Reason:
    """Charged from the grid now, because later hours are dearer by more than the losses."""
    numbers = {"energy_wh": energy_wh, "buy_price": buy, "worth_price": worth, **hours.numbers()}
    return Reason(code="grid_charge", numbers=numbers)


def all_surplus(*, sell: float, worth: float) -> Reason:
    """All surplus is stored: exported it would bring less."""
    return Reason(code="all_surplus", numbers={"sell_price": sell, "worth_price": worth})


def leave_surplus(*, room_wh: float, sell: float, worth: float) -> Reason:
    """Surplus is exported although there is room: more comes later, or exporting now pays better."""
    return Reason(code="leave_surplus", numbers={"room_wh": room_wh, "sell_price": sell, "worth_price": worth})


def sell(*, energy_wh: float, sell: float, worth: float) -> Reason:
    """Stored energy is exported: it brings more now than it would later."""
    return Reason(code="sell", numbers={"energy_wh": energy_wh, "sell_price": sell, "worth_price": worth})


def plan_old(age_s: float) -> Reason:
    """The last plan reaches no further or is too old: the plain rule holds."""
    return Reason(code="plan_old", numbers={"age_s": age_s})


def tariff_missing(*, buy: float, sell: float) -> Reason:
    """No tariff was told: these prices stand in."""
    return Reason(code="tariff_missing", numbers={"buy_price": buy, "sell_price": sell})


def assumed_price(*, buy: float, hours: Hours) -> Reason:
    """The price of these hours is not known and is taken as dear."""
    return Reason(code="assumed_price", numbers={"buy_price": buy, **hours.numbers()})


def weather_old(age_s: float) -> Reason:
    """The weather forecast could not be renewed and is used all the same."""
    return Reason(code="weather_old", numbers={"age_s": age_s})
