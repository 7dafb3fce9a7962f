"""`zen bench solarhome`: the published control bench of a solar home (CentraleSupélec)."""

from datetime import datetime

from gateway.cli.bench.common import ByDayOption, DataOption, DaysOption, JsonOption, StartOption, run
from gateway.study.benches import homes

FIRST_DAY = datetime(2011, 11, 29)  # noqa: DTZ001 - a day of the record's own clock


def solarhome(
    data: DataOption,
    start: StartOption = FIRST_DAY,
    days: DaysOption = 30,
    json: JsonOption = None,
    by_day: ByDayOption = False,
) -> None:
    """4 kWp, 8 kWh without losses, 0.10 EUR/kWh in 0-6 h and 0.20 else, at most 3 kW imported, export worth nothing."""
    run("solarhome", homes.solarhome, data=data, start=start, days=days, json_file=json, by_day=by_day)
