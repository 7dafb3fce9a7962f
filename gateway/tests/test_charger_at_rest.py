"""A charger without power on its relay: no voltage, no power, a car that is there; and loads that keep their peace.

The building is simulated apart from what controls it; the node is a few lines that read the blocks of the poll table
and write its actuators.
"""

import json
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.adapters.node.reading_trust import ReadingTrust
from gateway.adapters.products.registers import readings
from gateway.adapters.products.setpoints import raw_setpoint
from gateway.core.control.dispatch import Memory, decide
from gateway.core.model.state import Mode, Reading, SiteState
from gateway.observers.load_observer import LoadObserver
from gateway.paths import config_folder
from gateway.planning.load_inputs import LoadInputs
from gateway.ports import Cycle
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import Simulation
from gateway.site.assembly import building as site_building
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.file import site_file
from gateway.tests.test_pool_pump_chain import NoPast
from gateway.tests.view.scene import LOADS

PARIS = ZoneInfo("Europe/Paris")


@dataclass
class Chain:
    """The building, its node and the gateway; a cycle each second."""

    tmp_path: Path
    car: dict[str, object]
    seen: list[SiteState] = field(default_factory=list)
    modes: dict[str, list[Mode]] = field(default_factory=dict)
    export_w: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        path = self.tmp_path / "site.toml"
        path.write_text((config_folder() / "demo" / "site.toml").read_text() + LOADS.partition("[database]")[0])
        file = site_file.read(path)
        self.site = site_building.core_site(file)
        self.table = poll_tables(file)["cellar"]
        self.rows = json.loads(self.table.text)
        quiet = {"load": {"kettle_every_s": 0, "appliances": False}, "pv": {"clouds": False}, "battery": {"soc": 1.0}}
        served = {"serve": {"car": {}, "tank": {}}, "tank": {"temp_c": 50.0}, "car": {"plugged": True, **self.car}}
        self.house = Simulation(HouseConfig.model_validate({**quiet, **served}))
        self.maps = {
            "grid": self.house.meter_registers,
            "pv": self.house.pv_registers,
            "battery": self.house.battery_registers,
            **self.house.load_registers,
        }
        self.trust, self.memory = ReadingTrust(set()), Memory()
        self.devices: dict[str, dict[str, Reading]] = {}
        self.observer = LoadObserver(loads=file.loads, zone=PARIS, past=NoPast())  # type: ignore[arg-type]
        self.inputs = LoadInputs(site=self.site, flexible=self.observer.flexible, weather=lambda: None)

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            state = self.house.advance(1.0)
            self.export_w.append(-state.grid_w)
            self._poll(float(round(state.elapsed_s)))
            self._cycle(float(round(state.elapsed_s)), state.utc_s)

    def _poll(self, now_s: float) -> None:
        for block, row in zip(self.table.blocks, self.rows["blocks"], strict=True):
            if round(now_s) % round(block.every_s):
                continue
            address = row["a"] + (40070 if "m" in row else 0)  # model 103 lies there in this inverter's chain
            words = self.maps[block.device].read(row["fc"], address, row["n"])
            fresh = readings(block.profile, block.points, block.first, words, now_s)  # type: ignore[arg-type]
            fresh = self.trust.check(block, words, fresh)
            self.devices[block.device] = {**self.devices.get(block.device, {}), **fresh}

    def _cycle(self, now_s: float, utc_s: float) -> None:
        state = SiteState(now_s=now_s, utc_s=utc_s, devices=dict(self.devices))
        setpoints, self.memory = decide(state, self.site, None, self.memory, self.inputs.plain_requests(state))
        for setpoint in setpoints:
            self.modes.setdefault(setpoint.device, []).append(setpoint.mode)
            if setpoint.mode is not Mode.WATCH:
                self._obey(setpoint.device, setpoint.power_w, now_s)
        made = Cycle(number=1, state=state, setpoints=setpoints, load_w=None, late_ms=0.0, lasting=self.memory.stored)
        self.observer.show(made)
        self.seen.append(state)

    def _obey(self, device: str, power_w: float | None, now_s: float) -> None:
        """As the node does, and not more often than the product allows."""
        actuator = self.rows["actuators"][self.table.actuators[device]]
        function, registers = self.rows["units"][actuator["u"]]["wfc"], self.maps[device]
        if power_w is None:
            for address, words in actuator["safe"]:
                registers.write(function, address, words)  # type: ignore[attr-defined]
            return
        if actuator["min_ms"] and round(now_s) % (actuator["min_ms"] // 1000):
            return
        [value] = raw_setpoint(self.table.profile(device), power_w, self.table.ratings[device])
        [[address, form, *_]] = actuator["set"]
        words = [value % 2**16] if form in "hH" else [value >> 16 & 0xFFFF, value & 0xFFFF]
        for first, more in (*actuator["arm"], [address, words], *actuator["go"]):
            registers.write(function, first, more)  # type: ignore[attr-defined]

    def changes(self, device: str) -> int:
        """How often its mode was another one than the second before."""
        return sum(before is not after for before, after in pairwise(self.modes[device]))


def test_a_full_car_at_a_charger_without_voltage_lets_the_tank_have_the_surplus(tmp_path: Path) -> None:
    chain = Chain(tmp_path, car={"soc": 1.0})
    chain.run(400)
    shown = chain.seen[-1].devices["car"]
    assert {name: shown[name].value for name in ("plugged", "p_w", "u_l1_v")} == {"plugged": 1, "p_w": 0, "u_l1_v": 0}
    assert chain.changes("car") <= 2
    assert chain.changes("tank") <= 2
    late_w = chain.export_w[200:]
    assert sum(late_w) / len(late_w) < 1_600.0  # of 4.6 kW the heater takes the 3 that it can
    assert chain.house.state.loads_w["tank"] > 2_900.0
