"""From the site file and what is seen of a load now to what the plan is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import numpy as np

from gateway.core.loads.car import Car, CarState, phase_bands
from gateway.core.loads.heat import HeatPump, HeatPumpState, Tank, TankState
from gateway.core.loads.kinds import Job, Load
from gateway.core.loads.needs import Band
from gateway.core.loads.timed import Appliance, ApplianceState, Switchable, SwitchableState
from gateway.core.model.levels import Floats
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid
from gateway.core.model.weather import Weather
from gateway.site.file.load_sections import (
    AMBIENT_C,
    ApplianceSection,
    CarSection,
    HeatPumpSection,
    LoadSection,
    SwitchableSection,
    TankSection,
    minutes,
)

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a load now; None where it is not.

    `since_s` (UTC): when the car was plugged in, or the appliance asked for; None where it is not. `started_s`: since
    when the appliance runs. `held_wh`: in the car, or what a switchable load has taken in its present hours. `temp_c`:
    of the tank, or of the rooms. `hygiene_s`: when the tank was last heated through.
    """

    since_s: float | None = None
    started_s: float | None = None
    held_wh: float = 0.0
    temp_c: float | None = None
    hygiene_s: float | None = None
    switched: Switched | None = None


def jobs(
    sections: Mapping[str, LoadSection], seen: Mapping[str, Seen], grid: TimeGrid, zone: tzinfo
) -> tuple[Job, ...]:
    """Of all loads of which enough is known to plan them."""
    found = (_job(id_, section, seen.get(id_, Seen()), grid, zone) for id_, section in sections.items())
    return tuple(job for job in found if job is not None)


def load_of(id_: str, section: LoadSection) -> Load:
    """The load that a section describes."""
    match section:
        case CarSection():
            return Car(
                id=id_,
                bands=phase_bands(least_a=section.least_a, most_a=section.most_a, phases=tuple(section.phases)),
                capacity_wh=1000.0 * section.capacity_kwh,
                efficiency=section.efficiency,
                give_w=section.give_w,
                wear_price=section.wear_eur_per_kwh,
                switch_eur=section.switch_eur,
                short_price=section.missing_eur_per_kwh,
            )
        case TankSection():
            return _tank(id_, section)
        case HeatPumpSection():
            return _heat_pump(id_, section)
        case ApplianceSection():
            return Appliance(id=id_, course_w=tuple(section.quarters_w), missed_eur=section.missed_eur)
        case SwitchableSection():
            return Switchable(
                id=id_,
                band=Band(low_w=section.power_w, high_w=section.power_w),
                run_s=section.run_s,
                rest_s=section.rest_s,
                worth_price=section.worth_eur_per_kwh,
                short_price=section.missing_eur_per_kwh,
            )


def _tank(id_: str, section: TankSection) -> Tank:
    return Tank(
        id=id_,
        litres=section.litres,
        band=Band(low_w=section.power_w if section.least_w is None else section.least_w, high_w=section.power_w),
        low_c=section.low_c,
        high_c=section.high_c,
        hygiene_c=section.hygiene_c,
        ambient_c=AMBIENT_C,
        loss_w_per_k=section.loss_w_per_k,
        cop=section.cop,
        run_s=section.run_s,
        rest_s=section.rest_s,
    )


def _heat_pump(id_: str, section: HeatPumpSection) -> HeatPump:
    return HeatPump(
        id=id_,
        bands=tuple(Band(low_w=power_w, high_w=power_w) for power_w in section.powers_w),
        wh_per_k=1000.0 * section.kwh_per_k,
        loss_w_per_k=section.loss_w_per_k,
        low_c=section.low_c,
        high_c=section.high_c,
        cop=section.cop,
        cop_per_k=section.cop_per_k,
        run_s=section.run_s,
        rest_s=section.rest_s,
        discomfort_eur=section.discomfort_eur_per_kh,
    )


def _job(id_: str, section: LoadSection, seen: Seen, grid: TimeGrid, zone: tzinfo) -> Job | None:
    match section:
        case CarSection() if seen.since_s is not None:
            departure_s = next_clock(max(seen.since_s, grid.start_s), section.departure, zone)
            wanted_wh = 1000.0 * section.wanted_kwh
            state = CarState(
                arrival_s=seen.since_s,
                departure_s=departure_s,
                stored_wh=seen.held_wh,
                wanted_wh=wanted_wh,
                switched=seen.switched,
            )
            return Job(load=load_of(id_, section), state=state)
        case TankSection() if seen.temp_c is not None:
            return Job(load=load_of(id_, section), state=_tank_state(section, seen, seen.temp_c, grid, zone))
        case HeatPumpSection() if seen.temp_c is not None:
            return Job(load=load_of(id_, section), state=HeatPumpState(indoor_c=seen.temp_c, switched=seen.switched))
        case ApplianceSection() if seen.since_s is not None:
            latest_s = next_clock(seen.since_s, section.latest, zone)
            earliest_s = max(_last_clock(latest_s, section.earliest, zone), seen.since_s)
            timed = ApplianceState(earliest_s=earliest_s, latest_s=latest_s, started_s=seen.started_s)
            return Job(load=load_of(id_, section), state=timed)
        case SwitchableSection():
            latest_s = next_clock(grid.start_s, section.latest, zone)
            hours = SwitchableState(
                earliest_s=_last_clock(latest_s, section.earliest, zone),
                latest_s=latest_s,
                wanted_wh=1000.0 * section.wanted_kwh,
                served_wh=seen.held_wh,
                switched=seen.switched,
            )
            return Job(load=load_of(id_, section), state=hours)
    return None


def _tank_state(section: TankSection, seen: Seen, temp_c: float, grid: TimeGrid, zone: tzinfo) -> TankState:
    last_s = seen.hygiene_s if seen.hygiene_s is not None else grid.start_s
    return TankState(
        temp_c=temp_c,
        draw_wh=draws_wh(section.draws, grid, zone),
        hygiene_due_s=last_s + section.hygiene_days * DAY_S if section.hygiene_days else None,
        switched=seen.switched,
    )


def draws_wh(draws: Mapping[str, float], grid: TimeGrid, zone: tzinfo) -> Floats:
    """Heat drawn off in each step (Wh), from kWh by the local clock."""
    found = np.zeros(grid.steps)
    for clock, kwh in draws.items():
        at_s = next_clock(grid.start_s - 1.0, clock, zone)
        while at_s < grid.end_s:
            found[int((at_s - grid.start_s) // grid.step_s)] += 1000.0 * kwh
            at_s = next_clock(at_s, clock, zone)
    return found


def outdoor_c(weather: Weather | None, grid: TimeGrid) -> Floats | None:
    """Outdoor temperature at the middle of each step, or None without a forecast."""
    if weather is None or not np.isfinite(weather.temp_c).any():
        return None
    known = np.isfinite(weather.temp_c)
    told_s = weather.start_s + weather.step_s * (np.arange(len(known)) + 0.5)
    middles_s = grid.start_s + grid.step_s * (np.arange(grid.steps) + 0.5)
    return np.asarray(np.interp(middles_s, told_s[known], weather.temp_c[known]))


def next_clock(after_s: float, clock: str, zone: tzinfo) -> float:
    """The next moment (UTC) after another one at which local clocks show this time; right on days of 23 and 25 h."""
    local = datetime.fromtimestamp(after_s, zone)
    minute = minutes(clock)
    for days in range(3):
        day = local.date() + timedelta(days=days)
        at_s = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone).timestamp()
        if at_s > after_s:
            return at_s
    raise ValueError(f"no {clock} after {after_s}")


def _last_clock(before_s: float, clock: str, zone: tzinfo) -> float:
    """The last moment (UTC) before another one, at most a day of 25 h back, at which local clocks showed this time."""
    at_s = next_clock(before_s - DAY_S - 7200.0, clock, zone)
    while (later_s := next_clock(at_s, clock, zone)) < before_s:
        at_s = later_s
    return at_s
