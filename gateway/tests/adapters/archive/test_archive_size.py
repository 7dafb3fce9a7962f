"""Ten years of 20 devices fit into 500 MB, even where decisions flutter; `-s` prints the table of docs/history.md."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.adapters.archive.archive import Archive
from gateway.adapters.archive.records import Decision, HistoryEvent
from gateway.observers.decision_observer import EACH_S
from gateway.tests.adapters.archive.made_up import realistic

PARIS = ZoneInfo("Europe/Paris")
START_S, DAYS, DEVICES = 1_784_066_400, 60, 20
MOST_MB, YEARS = 500, 10
CODES = ("hold_grid_charge", "hold_grid_discharge", "grid_charge", "kept", "late_meter", "load_takes", "load_wait")


def decisions(a_day: float) -> Iterator[Decision]:
    """So many a day of each device, each with three numbers as control gives them."""
    rng = random.Random(1)
    step_s = 86400 / a_day
    for i in range(int(DAYS * a_day)):
        for n in range(DEVICES):
            numbers = {name: 5000 * rng.random() for name in ("net_w", "target_w", "power_w")}
            since_s = START_S + i * step_s + n / 10
            yield Decision(
                device=f"device-{n}",
                since_s=since_s,
                until_s=since_s + step_s,
                mode="control",
                code=rng.choice(CODES),
                power_w=numbers["power_w"],
                numbers=numbers,
            )


def bytes_of(path: Path, **given) -> int:
    with closing(Archive(path, zone=PARIS)) as archive:
        for days in range(DAYS):
            archive.save_accounts(given.get("accounts", [])[96 * days : 96 * days + 96])
            asyncio.run(archive.flush())
        for some in range(0, len(given.get("decisions", [])), 10_000):
            archive.save_decisions(given["decisions"][some : some + 10_000])
            asyncio.run(archive.flush())
        archive.save_events(given.get("events", []))
        asyncio.run(archive.flush())
        assert (archive.trouble, archive.lost) == (None, 0)
    return path.stat().st_size


@pytest.mark.slow
def test_ten_years_of_20_devices_fit_into_500_mb_whatever_control_does(tmp_path: Path) -> None:
    accounts = list(realistic(START_S, 96 * DAYS, devices=DEVICES))
    events = [
        HistoryEvent(kind="device_silent", since_s=START_S + 8640.0 * i, until_s=START_S + 8640.0 * i + 100, device="d")
        for i in range(10 * DAYS)
    ]
    empty = bytes_of(tmp_path / "empty.sqlite")
    sizes = {
        "quarter hours and days": bytes_of(tmp_path / "q.sqlite", accounts=accounts),
        "decisions, 20 a day": bytes_of(tmp_path / "d.sqlite", decisions=list(decisions(20))),
        "decisions, as many as are kept": bytes_of(tmp_path / "m.sqlite", decisions=list(decisions(86400 / EACH_S))),
        "events, 10 a day": bytes_of(tmp_path / "e.sqlite", events=events),
    }
    a_year = {name: (size - empty) / DAYS * 365.25 for name, size in sizes.items()}
    for name, size in a_year.items():
        print(f"| {name} | {size / DEVICES / 1000:.0f} kB | {size * YEARS / 1e6:.0f} MB |")  # noqa: T201
    usual = sum(size for name, size in a_year.items() if "as many" not in name)
    most = sum(size for name, size in a_year.items() if "20 a day" not in name)
    print(f"| usual, and at most | {usual / DEVICES / 1000:.0f}, {most / DEVICES / 1000:.0f} kB |"  # noqa: T201
          f" {usual * YEARS / 1e6:.0f}, {most * YEARS / 1e6:.0f} MB |")  # fmt: skip
    assert most * YEARS < MOST_MB * 1e6
