"""Buildings drawn at random, in which everything happens that control has a rule for; written apart from what decides.

Each second yields what `decide` is given; the set-points come back by `send`. Devices follow them at once.
"""

import math
import random
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

from gateway.core.loads.car import Car, phase_bands
from gateway.core.loads.heat_pump import HeatPump
from gateway.core.loads.switchable import Switchable
from gateway.core.loads.tank import Tank
from gateway.core.model.levels import Levels
from gateway.core.model.load import Band
from gateway.core.model.plan import LoadPurpose, LoadSlot, Slot
from gateway.core.model.site import Battery, Inverter, LoadDevice, Site
from gateway.core.model.state import Reading, Reason, SetPoint, SiteState

UTC_S = 1_718_985_600.0
CODES = ("load_wait", "load_due", "load_hygiene", "load_hygiene")


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """What one cycle decides on; `is_restart`: the gateway has just been started again."""

    state: SiteState
    site: Site
    slot: Slot | None
    requests: Mapping[str, LoadSlot]
    is_restart: bool


@dataclass
class Scene:
    """One building; the same number draws the same scene."""

    seed: int
    seconds: int = 250
    draw: random.Random = field(init=False)
    reports: dict[str, dict[str, Reading]] = field(default_factory=dict)
    silent_until: dict[str, int] = field(default_factory=dict)
    powers_w: dict[str, float] = field(default_factory=dict)  # of what is controlled
    limits_w: dict[str, float | None] = field(default_factory=dict)  # of inverters

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)

    def run(self) -> Generator[Second, tuple[SetPoint, ...], None]:
        draw, site = self.draw, self._site()
        socs = {battery.id: draw.random() for battery in site.batteries}
        temps = {
            load.device: draw.uniform(40, 70) if load.id == "tank" else draw.uniform(18, 23) for load in site.loads
        }
        base_w, sun_w, still_until, plugged = 300.0, draw.uniform(0, 8000), 0, 1.0
        slot, requests, grid_w, utc_s = self._slot(site), self._requests(site), 0.0, UTC_S
        for t in range(1, self.seconds + 1):
            base_w = draw.choice([300.0, 1200.0, 5000.0, 9000.0]) if draw.random() < 0.03 else base_w
            sun_w = draw.uniform(0, 9000) if draw.random() < 0.03 else sun_w + draw.uniform(-20, 20)
            slot = self._slot(site) if draw.random() < 0.03 else slot
            requests = self._requests(site) if draw.random() < 0.03 else requests
            plugged = 1.0 - plugged if draw.random() < 0.005 else plugged
            utc_s += 1.0 + (draw.choice([-86_400.0, 86_400.0]) if draw.random() < 0.002 else 0.0)
            still_until = t + draw.choice([8, 14]) if draw.random() < 0.006 else still_until
            for device in ("grid", *site.metered):
                if draw.random() < 0.01:
                    self.silent_until[device] = t + draw.choice([2, 6, 6, 12, 40])
            for battery in site.batteries:
                moved_wh = self.powers_w.get(battery.id, 0.0) * draw.choice([1, 10]) / 3600
                socs[battery.id] = min(max(socs[battery.id] + moved_wh / battery.capacity_wh, 0.0), 1.0)
            pv_w = {pv: -min(max(sun_w, 0.0), self.limits_w.get(pv) or 1e9) for pv in site.pv}
            total_w = base_w + sum(pv_w.values()) + sum(self.powers_w.values()) + draw.uniform(-3, 3)
            grid_w = grid_w if t < still_until else total_w
            self._report(t, "grid", p_w=grid_w, p_l1_w=grid_w / 3 + 600, p_l2_w=grid_w / 3 - 600, p_l3_w=grid_w / 3)
            for pv in site.pv:
                self._report(t, pv, p_w=pv_w[pv])
            for battery in site.batteries:
                self._report(t, battery.id, p_w=self.powers_w.get(battery.id, 0.0), soc=round(socs[battery.id], 2))
            for load in site.loads:
                temps[load.device] += draw.uniform(-0.05, 0.05)
                power_w = self.powers_w.get(load.device, 0.0)
                self._report(t, load.device, p_w=power_w, plugged=plugged, temp_c=temps[load.device])
            state = SiteState(now_s=float(t), utc_s=utc_s, devices={id_: dict(r) for id_, r in self.reports.items()})
            setpoints = yield Second(
                state=state, site=site, slot=slot, requests=requests, is_restart=draw.random() < 0.002
            )
            self._obey(setpoints, site)

    def _report(self, t: int, device: str, **points: float) -> None:
        if self.silent_until.get(device, 0) <= t:
            self.reports[device] = {name: Reading(value=value, measured_s=float(t)) for name, value in points.items()}
        elif self.draw.random() < 0.2:
            self.reports[device] = {name: Reading.absent("timeout", float(t)) for name in points}

    def _obey(self, setpoints: tuple[SetPoint, ...], site: Site) -> None:
        for setpoint in setpoints:
            if setpoint.device in site.pv:
                self.limits_w[setpoint.device] = None if setpoint.power_w is None else -setpoint.power_w
            elif setpoint.device != "pool-meter" or self.seed % 3:  # some pools never take what they are sent
                self.powers_w[setpoint.device] = setpoint.power_w or 0.0

    def _site(self) -> Site:
        draw = self.draw
        pv = tuple(f"pv{i}" for i in range(draw.choice([0, 1, 2])))
        loads = (
            Car(id="car", bands=phase_bands(least_a=6, most_a=32, phases=(1,)), capacity_wh=60_000.0),
            Tank(id="tank", litres=200.0, band=Band(low_w=0.0, high_w=3000.0), hygiene_c=65.0),
            HeatPump(id="rooms", bands=(Band(low_w=600.0, high_w=2500.0),), wh_per_k=8_000.0, loss_w_per_k=180.0),
            Switchable(id="pool", band=Band(low_w=900.0, high_w=900.0), minimum_up_s=60.0, minimum_down_s=60.0),
        )
        return Site(
            grid="grid",
            pv=pv,
            batteries=tuple(self._battery(f"battery{i}") for i in range(draw.choice([0, 1, 1, 2]))),
            grid_setpoint_w=draw.choice([0.0, -30.0]),
            import_limit_w=draw.choice([4000.0, 9000.0]),
            export_limit_w=draw.choice([0.0, 12_000.0]),
            meter_delay_s=draw.choice([(0.0, 0.6), (0.0, 3.0)]),
            imbalance_limit_w=draw.choice([math.inf, 4600.0]),
            curtailable=tuple(Inverter(id=id_, rated_w=6000.0) for id_ in pv if draw.random() < 0.7),
            loads=tuple(
                LoadDevice(
                    load=load,
                    device=f"{load.id}-meter",
                    takes_orders=True,
                    supplied_from_soc=(0.0, 0.5, math.inf, math.inf)[self.seed % 4],
                )
                for load in loads
                if draw.random() < 0.6
            ),
        )

    def _battery(self, id_: str) -> Battery:
        draw = self.draw
        return Battery(
            id=id_,
            capacity_wh=draw.choice([500.0, 5000.0]),
            charge_max_w=draw.choice([2500.0, 5000.0]),
            discharge_max_w=draw.choice([2500.0, 5000.0]),
            reserve=draw.choice([0.0, 0.1]),
            soc_max=draw.choice([0.95, 1.0]),
            dead_time_s=draw.choice([0.0, 0.8]),
            ramp_w_per_s=draw.choice([2500.0, 1e6]),
            loss_constant_w=draw.choice([0.0, 40.0]),
            phase=draw.choice([None, 1]),
            inverter=draw.choice([None, "pv0"]),
            ac_limit_w=draw.choice([math.inf, 6000.0]),
        )

    def _slot(self, site: Site) -> Slot | None:
        draw = self.draw
        if draw.random() < 0.2:
            return None
        full_wh = sum(b.capacity_wh * (b.soc_max - b.reserve) for b in site.batteries)
        drawn = sorted(draw.choice([0.0, full_wh, draw.uniform(0, full_wh)]) for _ in range(4))
        charge, reserve, fill, export = draw.choice([drawn, [full_wh] * 4, [0.0] * 4])
        return Slot(
            start_s=0.0,
            buy=draw.choice([0.15, 0.3]),
            sell=draw.choice([-0.05, 0.04, 0.1]),
            levels=Levels(charge_wh=charge, reserve_wh=reserve, fill_wh=fill, export_wh=export),
            value=draw.choice([0.0, 0.1, 0.1, 0.25, 0.25, math.nan]),
            reason=Reason(code=draw.choice(["all_surplus", "keep_for", "plan_charges", "plan_sells"])),
            peak_target_w=draw.choice([math.inf, math.inf, 3000.0]),
        )

    def _requests(self, site: Site) -> dict[str, LoadSlot]:
        """What a slot is for and the words beside it are drawn apart: no word means anything."""
        draw = self.draw
        return {
            load.id: LoadSlot(
                power_w=draw.choice([0.0, 900.0, 3000.0, 7000.0]),
                value=draw.choice([0.0, 0.1, 0.3, 2.0]),
                reason=Reason(code=draw.choice(CODES)),
                purpose=draw.choice([LoadPurpose.SERVICE, LoadPurpose.HYGIENE]),
            )
            for load in site.loads
            if draw.random() < 0.9
        }
