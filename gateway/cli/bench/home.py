"""`zen bench home`: a French home with heures pleines and creuses."""

from gateway.cli.bench.common import ByDayOption, DataOption, DaysOption, JsonOption, StartOption, run
from gateway.study.benches import homes


def home(
    data: DataOption, start: StartOption, days: DaysOption = 28, json: JsonOption = None, by_day: ByDayOption = False
) -> None:
    """8 kWh and 4 kW, 0.95 each way; HP 0.2081, HC 0.1635 (22-06 h local), surplus 0.04 EUR/kWh."""
    run("home", homes.home, data=data, start=start, days=days, json_file=json, by_day=by_day)
