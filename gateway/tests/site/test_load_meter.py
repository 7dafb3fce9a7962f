"""A heat pump that does not tell its power has a meter beside it, in the site file, the state and the decision."""

import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.adapters.node.poll_tables import Block
from gateway.adapters.products.points import Point
from gateway.adapters.store.outbox import Outbox
from gateway.core.control.dispatch import Memory, decide
from gateway.core.model.plan import LoadSlot
from gateway.core.model.state import Mode, Reason
from gateway.paths import config_folder
from gateway.site.assembly import building as site_building
from gateway.site.assembly import parts
from gateway.site.assembly.parts import NodeSide
from gateway.site.credentials import Credentials
from gateway.site.file import site_file
from gateway.site.file.site_file import SiteFile, SiteFileError
from gateway.tests.adapters.test_nodes import batch

POWER_W = 1_800.0
LIKES = LoadSlot(power_w=0.0, value=0.1, reason=Reason(code="load_plain"))
HEATING = """
[devices.pump]
role = "load"
profile = "stiebel_isg_wpm"
node = "cellar"
host = "127.0.0.1"
unit = 1

[devices.pump-meter]
role = "load"
profile = "eastron_sdm630"
node = "cellar"
bus = "rs485"
unit = 2

[loads.heating]
kind = "heat_pump"
device = "pump"
meter = "pump-meter"
powers_w = [1800]
kwh_per_k = 8
loss_w_per_k = 180
"""


def read(tmp_path: Path, old: str = "", new: str = "") -> SiteFile:
    assert old in HEATING
    text = (config_folder() / "demo" / "site.toml").read_text() + HEATING.replace(old, new, 1)
    (tmp_path / "site.toml").write_text(text)
    return site_file.read(tmp_path / "site.toml")


@pytest.mark.parametrize(
    ("old", "new", "path", "allowed"),
    [
        (
            'meter = "pump-meter"\n',
            "",
            "loads.heating.device",
            "reports p_w, temp_c, or meter = a device that reports p_w",
        ),
        ('device = "pump"\n', "", "loads.heating.meter", "device = that"),
        ('meter = "pump-meter"', 'meter = "pump-metre"', "loads.heating.meter", "did you mean pump-meter?"),
        ('meter = "pump-meter"', 'meter = "grid"', "loads.heating.meter", "a device of role load"),
        ('meter = "pump-meter"', 'meter = "pump"', "loads.heating.meter", "a device of its own"),
        (
            '"eastron_sdm630"\nnode = "cellar"\nbus = "rs485"',
            '"stiebel_isg_wpm"\nnode = "cellar"\nhost = "127.0.0.2"',
            "loads.heating.meter",
            "a product that reports p_w every 3 s",
        ),
        ('device = "pump"', 'device = "pump-meter"', "loads.heating.meter", "a device of its own"),
        ("[1800]", "[600, 1800]", "loads.heating.powers_w", "one power: a switch is on or off"),
    ],
)
def test_what_a_meter_beside_a_load_cannot_be(tmp_path: Path, old: str, new: str, path: str, allowed: str) -> None:
    with pytest.raises(SiteFileError) as caught:
        read(tmp_path, old, new)
    found = {mistake.path: mistake.allowed for mistake in caught.value.mistakes}
    assert allowed in found[path]


def test_a_switch_does_not_wait_beyond_its_least_times(tmp_path: Path) -> None:
    """The register is written every 10 min at most; it rests for 15 min and runs for 30 at least."""
    [load] = site_building.core_site(read(tmp_path)).loads
    assert (load.device, load.takes_orders, load.pause_s) == ("pump", True, 0.0)
    [load] = site_building.core_site(read(tmp_path, "[1800]", "[1800]\nrest_s = 60")).loads
    assert load.pause_s == 540.0


class StillClock:
    """Shows what it is put to."""

    now_s = 100.0

    def utc_s(self) -> float:
        return 1_700_000_000.0 + self.now_s

    def monotonic_s(self) -> float:
        return self.now_s


class Cellar:
    """What the node of the building sends: registers laid out as the profiles say."""

    def __init__(self, side: NodeSide, clock: StillClock) -> None:
        self.session = side.sessions["cellar"]
        self.clock = clock
        self.seq = 0

    def report(self, device: str, values: Mapping[str, float]) -> None:
        for number, block in enumerate(self.session.table.blocks):
            names = {point.name for point in block.points}
            if block.device == device and names & values.keys():
                self.seq += 1
                sent = batch(self.session, (self.seq, number, 0, words(block, values)))
                self.session.receive_batch(sent, self.clock.now_s, self.clock.utc_s())


def words(block: Block, values: Mapping[str, float]) -> tuple[int, ...]:
    """Registers of a block; what is not named is 0."""
    found = [0] * block.count
    for point in block.points:
        assert isinstance(point, Point)
        code = {"float32": ">f", "int16": ">h", "uint16": ">H"}[point.type]
        raw = values.get(point.name, 0.0) / point.scale
        packed = struct.pack(code, raw if point.type == "float32" else round(raw))
        at = point.address - block.first
        found[at : at + len(packed) // 2] = struct.unpack(f">{len(packed) // 2}H", packed)
    return tuple(found)


def built(file: SiteFile, tmp_path: Path, clock: StillClock) -> NodeSide:
    credentials = Credentials(broker_password=None, node_keys={"cellar": bytes(32)}, influx_token=None)
    return parts.node_side(file, credentials, Outbox(tmp_path / "a.sqlite", max_mb=50), clock, writes=False)


def test_its_power_is_that_of_its_meter_and_counts_once(tmp_path: Path) -> None:
    file, clock = read(tmp_path), StillClock()
    side, site = built(file, tmp_path, clock), site_building.core_site(file)
    cellar = Cellar(side, clock)
    cellar.report("pump", {"flow_c": 30.0})  # nothing is believed before its proof
    cellar.report("pump", {"temp_c": 20.5})
    assert side.measurements.state().reading("pump", "p_w").why == "no_data"
    assert side.sessions["cellar"].quality("pump", clock.now_s) == "good"
    cellar.report("pump-meter", {"f_hz": 50.0})
    cellar.report("pump-meter", {"p_w": POWER_W})
    state = side.measurements.state()
    assert state.reading("pump", "p_w") == state.reading("pump-meter", "p_w")
    assert (state.reading("pump", "p_w").value, state.reading("pump", "temp_c").value) == (POWER_W, 20.5)
    assert site.metered == ("pv", "battery", "pump")


def test_a_relay_is_seen_by_the_power_of_its_meter(tmp_path: Path) -> None:
    """It is switched on by 3 kW of surplus, is seen to take 1.8 kW of it, and given back when its meter is silent."""
    file, clock = read(tmp_path), StillClock()
    side = built(file, tmp_path, clock)
    site = replace(site_building.core_site(file), batteries=(), pv=())
    cellar, memory, power_w, sent = Cellar(side, clock), Memory(), 0.0, []
    for second in range(80):
        clock.now_s += 1.0
        if second % 5 == 0:
            cellar.report("pump", {"flow_c": 30.0})
            cellar.report("pump", {"temp_c": 20.5})
            cellar.report("pump-meter", {"f_hz": 50.0})
            cellar.report("grid", {"f_hz": 50.0})
        if second < 50:
            cellar.report("pump-meter", {"p_w": power_w})
        cellar.report("grid", {"p_w": power_w - 3_000.0})
        [setpoint], memory = decide(side.measurements.state(), site, None, memory, {"heating": LIKES})
        power_w = setpoint.power_w or 0.0
        sent.append((setpoint.mode, setpoint.power_w, setpoint.reason.code))
    assert sent[9][:2] == (Mode.CONTROL, 0.0)
    assert sent[49] == (Mode.CONTROL, POWER_W, "load_takes")
    assert memory.loads.base_w == pytest.approx(-3_000.0, abs=1.0)
    assert sent[-1] == (Mode.RELEASE, None, "lost_load")
