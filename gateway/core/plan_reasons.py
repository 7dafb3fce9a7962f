"""Why a slot of a plan has its levels: a code and the numbers that were compared.

| code | what the slot does | numbers |
|---|---|---|
| `fill_night` | charges from the grid up to a level | fill_wh, worth, price, from_s, until_s |
| `kept` | keeps a reserve although the building needs energy | kept_wh, worth, price, from_s, until_s |
| `sell` | gives stored energy to the grid | sell_wh, worth, price |
| `some_surplus` | leaves surplus to the grid above a level | fill_wh, worth, price |
| `all_surplus` | takes all surplus | worth, price |
| `use` | gives the building what it needs | worth, price |

`worth` is the marginal value of stored energy at the end of the slot, `price` what it is compared with (EUR/kWh);
`from_s` to `until_s` (UTC) is the next dearer time, for which energy is put aside; left out when there is none.
"""

import numpy as np

from gateway.core.levels import Floats, Levels
from gateway.core.model import Reason
from gateway.core.recursion import Tariff

SMALL_WH = 1.0


def reasons(
    levels: list[Levels],
    energies_wh: Floats,
    net_w: Floats,
    worth: Floats,
    tariff: Tariff,
    starts_s: Floats,
    step_s: float,
) -> list[Reason]:
    """One reason for each slot; `energies_wh` are those expected at its start, `worth` that at its end."""
    columns = np.stack((energies_wh, net_w, worth, tariff.buy, tariff.sell), axis=1).tolist()
    dearer = dearer_times(tariff.buy, starts_s, step_s)
    return [_reason(one, *numbers, dearer=later) for one, numbers, later in zip(levels, columns, dearer, strict=True)]


def _reason(
    levels: Levels,
    energy_wh: float,
    net_w: float,
    worth: float,
    buy: float,
    sell: float,
    *,
    dearer: dict[str, float],
) -> Reason:
    bought = {"worth": worth, "price": buy}
    sold = {"worth": worth, "price": sell}
    if levels.charge_wh > energy_wh + SMALL_WH:
        return Reason(code="fill_night", numbers={"fill_wh": levels.charge_wh, **bought, **dearer})
    if energy_wh > levels.export_wh + SMALL_WH:
        return Reason(code="sell", numbers={"sell_wh": energy_wh - levels.export_wh, **sold})
    if net_w <= 0.0 and levels.fill_wh < levels.export_wh - SMALL_WH:
        return Reason(code="some_surplus", numbers={"fill_wh": levels.fill_wh, **sold})
    if net_w <= 0.0:
        return Reason(code="all_surplus", numbers=sold)
    if levels.reserve_wh > SMALL_WH:
        kept_wh = min(levels.reserve_wh, energy_wh)
        return Reason(code="kept", numbers={"kept_wh": kept_wh, **bought, **dearer})
    return Reason(code="use", numbers=bought)


def dearer_times(buy: Floats, starts_s: Floats, step_s: float) -> list[dict[str, float]]:
    """For each step the next run of steps that are dearer than it: `from_s` and `until_s`; empty where none comes."""
    return [_dearer(buy, starts_s, step_s, k) for k in range(len(buy))]


def _dearer(buy: Floats, starts_s: Floats, step_s: float, k: int) -> dict[str, float]:
    dear = buy[k:] > buy[k]
    if not dear.any():
        return {}
    first = int(np.argmax(dear))
    rest = dear[first:]
    last = first + (len(rest) if rest.all() else int(np.argmin(rest))) - 1
    return {"from_s": float(starts_s[k + first]), "until_s": float(starts_s[k + last] + step_s)}
