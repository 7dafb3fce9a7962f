"""A pool pump behind its relay in virtual time: from the site file over the registers to the decision and back.

The sun, the meters and the board are simulated apart from what controls them; the node is a few lines that read the
blocks of the poll table and write its actuators.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.adapters.products.registers import readings
from gateway.adapters.products.setpoints import raw_setpoint
from gateway.core.control.dispatch import Memory, decide
from gateway.core.model.state import Mode, Reading, SiteState
from gateway.observers.load_observer import LoadObserver
from gateway.paths import config_folder
from gateway.planning.load_inputs import LoadInputs
from gateway.ports import Cycle
from gateway.simulator.physics.meter import Shown
from gateway.simulator.products.registers import RegisterMap
from gateway.simulator.products.sdm630 import Sdm630
from gateway.simulator.products.waveshare_relay import WaveshareRelay
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import Simulation
from gateway.site.assembly import building as site_building
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.file import site_file

PARIS = ZoneInfo("Europe/Paris")
POWER_W = 900.0
RUN_S, SMALL_S = 1800, 45  # less than 10 Wh (40 s) is not missed
SECTIONS = """
[devices.relay]
role = "load"
profile = "waveshare_relay"
node = "cellar"
bus = "rs485"
unit = 2

[devices.pump-meter]
role = "load"
profile = "eastron_sdm630"
node = "cellar"
bus = "rs485"
unit = 3

[loads.pool]
kind = "pool_pump"
device = "relay"
meter = "pump-meter"
power_w = 900
daily_run_h = 0.5
quiet_from = "14:00"
quiet_until = "12:10"
run_s = 300
rest_s = 120
"""


@dataclass
class Pump:
    """Draws its power while relay 1 is closed; added to what the house draws."""

    house: object
    relay: WaveshareRelay
    power_w_now: float = 0.0
    used_wh: float = 0.0

    def power_w(self, utc_s: float) -> float:
        self.power_w_now = POWER_W if self.relay.is_on[0] else 0.0
        self.used_wh += self.power_w_now / 3600.0
        return self.house.power_w(utc_s) + self.power_w_now  # type: ignore[attr-defined]

    def shown(self) -> Shown:
        third = self.power_w_now / 3.0
        return Shown(
            taken_s=0.0, total_w=self.power_w_now, phases_w=(third, third, third), import_wh=self.used_wh,
            export_wh=0.0, frequency_hz=50.0,
        )  # fmt: skip


class NoPast:
    def note(self, _name: str) -> None:
        return None


@dataclass
class Chain:
    """The building, its node and the gateway; a cycle each second."""

    tmp_path: Path
    sunny: bool = True
    ran: list[tuple[float, bool]] = field(default_factory=list)  # moment, whether relay 1 is closed
    codes: list[str] = field(default_factory=list)
    without_relay: tuple[float, float] = (0.0, 0.0)  # from, to: the board does not answer

    def __post_init__(self) -> None:
        path = self.tmp_path / "site.toml"
        path.write_text((config_folder() / "demo" / "site.toml").read_text() + SECTIONS)
        file = site_file.read(path)
        site = site_building.core_site(file)
        self.table = poll_tables(file)["cellar"]
        self.rows = json.loads(self.table.text)
        self.meters = site_building.meters(file)
        self.site = replace(site, batteries=(), pv=())
        quiet = {"clock": {"start": "2024-06-21T12:00:00"}, "load": {"kettle_every_s": 0, "appliances": False}}
        pv = {"clouds": False, "kwp": 5.0 if self.sunny else 0.0}
        full = {"battery": {"soc": 1.0}}  # it is left in its own mode, and takes no surplus
        self.house = Simulation(HouseConfig.model_validate({**quiet, **full, "pv": pv}))
        self.relay = WaveshareRelay(unit=2)
        self.pump = Pump(house=self.house.building.load, relay=self.relay)
        self.house.building.load = self.pump
        pump_meter = Sdm630(self.pump.shown, without_value=set, unit=3, baud=9600)
        self.maps: dict[str, RegisterMap] = {
            "grid": self.house.meter_registers, "relay": self.relay, "pump-meter": pump_meter,
        }  # fmt: skip
        self.devices: dict[str, dict[str, Reading]] = {}
        self.memory = Memory()
        self.observer = LoadObserver(loads=file.loads, zone=PARIS, past=NoPast())  # type: ignore[arg-type]
        self.inputs = LoadInputs(site=site, flexible=self.observer.flexible, weather=lambda: None)

    def run(self, until: str) -> None:
        end_s = datetime.fromisoformat(f"2024-06-21T{until}").replace(tzinfo=PARIS).timestamp()
        while self.house.state.utc_s < end_s:
            self.house.advance(1.0)
            self._poll()
            self._cycle()

    def _poll(self) -> None:
        now_s = round(self.house.state.elapsed_s)
        for block, row in zip(self.table.blocks, self.rows["blocks"], strict=True):
            registers = self.maps.get(block.device)
            if registers is None or self._is_silent(block.device) or now_s % round(block.every_s):
                continue
            words = registers.read(row["fc"], row["a"], row["n"])
            values = readings(block.profile, block.points, block.first, words, float(now_s))
            self.devices[block.device] = {**self.devices.get(block.device, {}), **values}

    def _cycle(self) -> None:
        now_s, utc_s = float(round(self.house.state.elapsed_s)), self.house.state.utc_s
        devices = dict(self.devices)
        for device, meter in self.meters.items():
            power = devices.get(meter, {}).get("p_w")
            devices[device] = {**devices.get(device, {}), **({"p_w": power} if power else {})}
        state = SiteState(now_s=now_s, utc_s=utc_s, devices=devices)
        requests = self.inputs.plain_requests(state)
        [setpoint], self.memory = decide(state, self.site, None, self.memory, requests)
        if setpoint.mode is not Mode.WATCH and not self._is_silent("relay"):
            self._obey(setpoint.power_w)
        cycle = Cycle(
            number=1, state=state, setpoints=(setpoint,), load_w=None, late_ms=0.0, lasting=self.memory.stored
        )
        self.observer.show(cycle)
        self.ran.append((utc_s, self.relay.is_on[0]))
        self.codes.append(setpoint.reason.code)

    def _obey(self, power_w: float | None) -> None:
        """As the node does: the value of an order, or the safe values, with the function that writes coils."""
        actuator = self.rows["actuators"][self.table.actuators["relay"]]
        function = self.rows["units"][actuator["u"]]["wfc"]
        if power_w is None:
            for address, words in actuator["safe"]:
                self.relay.write(function, address, words)
            return
        profile = self.table.profile("relay")
        value = raw_setpoint(profile, power_w, self.table.ratings["relay"])
        [[address, _, least, most]] = actuator["set"]
        assert least <= value[0] <= most
        self.relay.write(function, address, value)

    def _is_silent(self, device: str) -> bool:
        first, last = self.without_relay
        return device == "relay" and first <= self.house.state.elapsed_s < last

    def hours(self) -> list[tuple[str, str]]:
        """From when to when the relay was closed, by the local clock."""
        edges = [(at_s, on) for (_, before), (at_s, on) in pairwise(self.ran) if on != before]
        return [(clock(begin_s), clock(end_s)) for (begin_s, on), (end_s, _) in pairwise(edges) if on]

    def seconds_on(self) -> int:
        return sum(on for _, on in self.ran)


def clock(utc_s: float) -> str:
    return datetime.fromtimestamp(utc_s, PARIS).strftime("%H:%M:%S")


def test_the_sun_runs_it_when_the_quiet_hours_are_over_until_it_has_its_time(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    chain.run("14:05")
    [(begin, end)] = chain.hours()
    assert "12:10:00" <= begin <= "12:10:40"  # the surplus was there before, and lasts
    assert chain.seconds_on() == pytest.approx(RUN_S, abs=SMALL_S)
    assert end < "12:42:00"
    assert {"load_takes", "load_done"} <= set(chain.codes)
    assert chain.pump.used_wh == pytest.approx(450.0, abs=11.0)
    assert chain.relay.is_on == [False] * 8


def test_without_sun_it_runs_as_late_as_it_can_and_is_off_in_the_quiet_hours(tmp_path: Path) -> None:
    """Half an hour and a tenth more, and a quarter of an hour, before 13:55: at 13:07."""
    chain = Chain(tmp_path, sunny=False)
    chain.run("14:05")
    [(begin, end)] = chain.hours()
    assert "13:06:55" <= begin <= "13:07:20"
    assert end <= "13:38:00"
    assert chain.seconds_on() == pytest.approx(RUN_S, abs=SMALL_S)
    assert not any(on for at_s, on in chain.ran if not "12:10" <= clock(at_s) < "14:00")


def test_a_board_that_lost_its_power_is_switched_on_again_and_the_time_is_made_up(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    chain.run("12:20")
    chain.relay.is_on = [False] * 8  # its power was away, and it answers again at once
    chain.without_relay = (chain.house.state.elapsed_s, chain.house.state.elapsed_s + 30.0)
    chain.run("14:05")
    assert len(chain.hours()) >= 2
    assert chain.seconds_on() == pytest.approx(RUN_S, abs=SMALL_S)
    assert chain.relay.is_on[0] is False
