"""A house of which a part says nothing: what it draws is given and stored, with a mark or a range; and so is tomorrow.

From the registers that a node sends to the rows in the store, the quarter hours and the forecast made of them.
"""

import struct
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gateway.adapters.node.poll_tables import Block
from gateway.adapters.products.points import Point
from gateway.adapters.products.registers import encode
from gateway.adapters.store.history import HistoryStore
from gateway.adapters.store.outbox import Outbox
from gateway.core.control.memory import StoredMemory
from gateway.core.forecast.prior import Prior
from gateway.core.forecast.scenarios import draw
from gateway.core.model.history import History
from gateway.core.model.quarters import Quarter
from gateway.loop import Loop
from gateway.observers.recorder import Recorder
from gateway.paths import config_folder
from gateway.ports import Cycle, Row
from gateway.site.assembly import parts
from gateway.site.assembly.building import core_site, origin_of
from gateway.site.assembly.place import corners
from gateway.site.credentials import Credentials
from gateway.site.file import site_file
from gateway.view.cycle import device_views, flow_view
from gateway.view.labels import DeviceLabel, Labels
from gateway.view.schema.cycle import SiteView
from gateway.view.schema.keys import LEFT_OUT
from gateway.wire.records import EPOCH_2000

PARIS = ZoneInfo("Europe/Paris")
NIGHT, NOON = 1_734_735_600.0, 1_734_778_800.0  # 2024-12-20 23:00 UTC, and 2024-12-21 11:00 UTC
LOAD_W = 1_800.0
SETTLED = ("port = 10123", "port = 10123\nsettle_s = 0")


class Clock:
    """Shows what it is put to."""

    def __init__(self, utc_s: float) -> None:
        self.now_s, self._utc_s = 1000.0, utc_s

    def utc_s(self) -> float:
        return self._utc_s + self.now_s - 1000.0

    def monotonic_s(self) -> float:
        return self.now_s


class World:
    """The edges of the loop that do nothing, and the rows that it would store."""

    def __init__(self) -> None:
        self.kept: list[Row] = []

    def slot(self, _utc_s: float) -> None: ...

    def requests(self, _state: object) -> dict[str, object]:
        return {}

    async def send(self, _setpoint: object) -> None: ...

    async def answered(self) -> None: ...

    def yields_to(self) -> None: ...

    async def save(self, rows: list[Row]) -> None:
        self.kept = rows

    async def attend(self) -> None: ...


class House:
    """The demo's building with a load of LOAD_W; its node sends registers each second."""

    def __init__(self, folder: Path, utc_s: float, *edits: tuple[str, str]) -> None:
        text = (config_folder() / "demo" / "site.toml").read_text()
        for old, new in (SETTLED, *edits):
            assert old in text
            text = text.replace(old, new, 1)
        (folder / "site.toml").write_text(text)
        self.file = site_file.read(folder / "site.toml")
        self.site, self.clock, self.world = core_site(self.file), Clock(utc_s), World()
        self.outbox = Outbox(folder / "a.sqlite", max_mb=50)
        secrets = Credentials(broker_password=None, node_keys={"cellar": bytes(32)}, influx_token=None)
        self.side = parts.node_side(self.file, secrets, self.outbox, self.clock, writes=False)  # type: ignore[arg-type]
        self.session = self.side.sessions["cellar"]
        self.recorder = Recorder(site=self.site, past=HistoryStore(self.outbox))
        self.pv_w, self.battery_w, self.seq = 0.0, 0.0, 0
        self.loop = Loop(
            site=self.site,
            origin=origin_of(self.file),
            clock=self.clock,
            measurements=self.side.measurements,
            actuation=self.world,
            persistence=self.world,
            link=self.world,
            plans=self.world,
            observers=(self.recorder,),
            lasting=StoredMemory(),
        )

    def says(self, silent: set[str]) -> None:
        """A second's records of all devices; the blocks of the silent ones end in a time-out."""
        powers = {"grid": LOAD_W + self.pv_w + self.battery_w, "pv": self.pv_w, "battery": self.battery_w}
        rows = []
        for number, block in enumerate(self.session.table.blocks):
            self.seq += 1
            is_silent = block.device in silent
            rows.append((self.seq, number, int(is_silent), () if is_silent else words(block, powers[block.device])))
        self.session.receive_batch(self._batch(rows), self.clock.now_s, self.clock.utc_s())

    def _batch(self, rows: list[tuple[int, int, int, tuple[int, ...]]]) -> bytes:
        """(seq, block, flag, registers), all read at this moment; as docs/reference/wire.md says."""
        node_s = int(self.clock.utc_s()) - EPOCH_2000
        parts = [struct.pack(">BBIIIIH", 2, len(rows), self.session.table.identity, 9, 1, node_s, 0)]
        for seq, block, flag, registers in rows:
            parts.append(struct.pack(">IIHBBBB", seq, node_s, 0, 2, block, flag, len(registers)))
            parts.append(struct.pack(f">{len(registers)}H", *registers))
        return b"".join(parts)

    async def live(self, seconds: int, silent: set[str] | frozenset[str] = frozenset()) -> Cycle:
        for _ in range(seconds):
            self.clock.now_s += 1.0
            self.says(set(silent))
            cycle = await self.loop.cycle(commands=False)
        return cycle

    def stored(self) -> Mapping[str, object]:
        """The fields of the state row of the last cycle."""
        return next((row.fields for row in self.world.kept if row.measurement == "site"), {})


def words(block: Block, power_w: float) -> tuple[int, ...]:
    """Registers of a block of the demo's devices."""
    values: dict[str, float] = {"p_w": power_w, "f_hz": 50.0, "soc": 0.5, "state": 4, "temp_c": 20}
    found = [0] * block.registers
    for point in block.points:
        assert isinstance(point, Point)
        raw = values.get(point.name, 1000.0) / (point.scale * point.sign)
        at = point.address - block.first
        if point.type == "float32":
            found[at : at + 2] = struct.unpack(">HH", struct.pack(">f", raw))
        else:
            found[at : at + point.count] = encode(point.type, round(raw), "big")
    return tuple(found)


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., House]:
    return lambda utc_s, *edits: House(tmp_path, utc_s, *edits)


async def test_an_inverter_without_supply_at_night_gives_nothing_and_the_load_is_known(
    house: Callable[..., House],
) -> None:
    building = house(NIGHT)
    with closing(building.outbox):
        cycle = await building.live(20, silent={"pv"})
        reading = cycle.state.reading("pv", "p_w")
        assert (reading.value, reading.mark) == (0.0, "night")
        assert (cycle.load_w, cycle.house.missing) == (pytest.approx(LOAD_W), ())
        stored = building.stored()
        assert (stored["load_w"], stored["pv_w"], stored["assumed"]) == (pytest.approx(LOAD_W), 0.0, "pv")
        flow = flow_view(building.site, cycle)
        assert (flow.pv_w, flow.load_w, flow.unknown) == (0.0, pytest.approx(LOAD_W), LEFT_OUT)
        labels = Labels(
            site=SiteView(id="lens", name="", time_zone="Europe/Paris"),
            version="",
            devices={"pv": DeviceLabel(role="pv", title="", node="cellar", points=("p_w", "f_hz"))},
            kinds={},
        )
        [view] = device_views(cycle.state, labels, building.session.quality)
        assert (view.quality, view.why, [point.why for point in view.points]) == (
            "assumed",
            "night",
            ["night", "timeout"],
        )


async def test_a_night_in_which_the_sun_shines_is_none(house: Callable[..., House]) -> None:
    """The place, the zone or a clock is wrong: an inverter that gave 3 kW then is not taken for asleep."""
    building = house(NIGHT)
    building.pv_w = -3_000.0
    with closing(building.outbox):
        await building.live(10)
        cycle = await building.live(60, silent={"pv"})
    assert cycle.state.reading("pv", "p_w").why == "timeout"
    assert cycle.house.missing == ("pv",)
    assert cycle.house.low_w is not None
    assert cycle.house.high_w is not None
    assert cycle.house.low_w <= LOAD_W <= cycle.house.high_w


async def test_an_inverter_that_is_silent_by_day_leaves_a_range(house: Callable[..., House]) -> None:
    building = house(NOON)
    building.pv_w = -1_000.0
    with closing(building.outbox):
        await building.live(20)
        cycle = await building.live(60, silent={"pv"})
        assert cycle.state.reading("pv", "p_w").why == "timeout"
        load = cycle.house
        assert load.missing == ("pv",)
        assert load.low_w is not None
        assert load.high_w is not None
        # the meter shows 800 W; a roof of 5 kW may give some of its power in December
        assert load.low_w == pytest.approx(800.0)
        assert LOAD_W < load.high_w <= 5_800.0
        assert load.load_w == pytest.approx(LOAD_W)
        stored = building.stored()
        assert (stored["load_low_w"], stored["load_high_w"], stored["unknown"]) == (load.low_w, load.high_w, "pv")
        assert "pv_w" not in stored
        flow = flow_view(building.site, cycle)
        assert (flow.load_low_w, flow.load_high_w, flow.unknown) == (load.low_w, load.high_w, ("pv",))


@pytest.mark.parametrize(
    ("utc_s", "silent", "quarter"),
    [
        (NIGHT, {"pv"}, {"load_w": LOAD_W, "pv_w": 0.0, "load_range_w": None}),
        (NOON, {"pv"}, {"load_w": None, "pv_w": None}),
        (NIGHT, {"battery"}, {"load_w": None, "pv_w": 0.0, "load_range_w": (0.0, LOAD_W + 5_000.0)}),
    ],
)
async def test_a_quarter_hour_with_a_silent_part_has_what_is_known(
    house: Callable[..., House], utc_s: float, silent: set[str], quarter: dict[str, object]
) -> None:
    building = house(utc_s)
    with closing(building.outbox):
        await building.live(10)
        await building.live(892, silent=silent)
        [found] = building.recorder._quarters
    for name, value in quarter.items():
        assert getattr(found, name) == (None if value is None else pytest.approx(value, abs=100.0)), name
    assert found.grid_w == pytest.approx(LOAD_W, abs=1.0)
    if found.load_w is None:
        assert found.load_range_w is not None
        assert found.load_range_w[0] <= LOAD_W <= found.load_range_w[1]


async def test_without_coordinates_the_sun_is_down_only_where_it_is_in_the_whole_zone(
    house: Callable[..., House],
) -> None:
    building = house(NIGHT)
    building.outbox.close()
    assert len(building.site.places) == 4
    assert len(corners(building.file)) == 4


@pytest.mark.parametrize(
    ("zone", "position", "utc_s", "is_night"),
    [
        ("Europe/Paris", "", 1_734_735_600.0, True),  # a December night
        ("Europe/Paris", "", 1_718_926_200.0, True),  # 23:30 UTC on the longest day
        ("Europe/Paris", "", 1_718_914_000.0, False),  # 20:06 UTC: dark in Corsica, not yet in Brittany
        ("Europe/Paris", "latitude = 41.6\nlongitude = 9.2\n", 1_718_914_000.0, True),
        ("Indian/Reunion", "", 1_718_910_000.0, True),  # 23:00 in Saint-Denis
        ("Indian/Reunion", "", 1_718_866_800.0, False),
        ("America/Guadeloupe", "", 1_718_942_400.0, True),  # midnight in Pointe-à-Pitre
        ("Australia/Sydney", "", 1_718_892_000.0, True),  # midnight in a southern winter
        ("Australia/Sydney", "", 1_718_850_000.0, False),
    ],
)
async def test_a_silent_inverter_gives_nothing_where_it_is_night_for_certain(
    house: Callable[..., House], zone: str, position: str, utc_s: float, *, is_night: bool
) -> None:
    building = house(utc_s, ('time_zone = "Europe/Paris"', f'time_zone = "{zone}"\n{position}'))
    with closing(building.outbox):
        cycle = await building.live(10, silent={"pv"})
    assert (cycle.state.reading("pv", "p_w").mark == "night") == is_night
    assert (cycle.house.missing == ()) == is_night


def test_a_place_is_both_numbers_or_none(tmp_path: Path) -> None:
    text = (config_folder() / "demo" / "site.toml").read_text().replace("[broker]", "latitude = 50.4\n\n[broker]", 1)
    (tmp_path / "site.toml").write_text(text)
    with pytest.raises(site_file.SiteFileError, match="latitude and longitude, or neither"):
        site_file.read(tmp_path / "site.toml")


DAY = 96
SHAPE = np.array([250.0] * 24 + [500.0] * 12 + [380.0] * 36 + [750.0] * 16 + [380.0] * 8)


def drawn(load_w: np.ndarray, *, load_range_w: np.ndarray | None = None) -> np.ndarray:
    history = History(
        start_s=NIGHT - 900.0 * len(load_w),
        step_s=900.0,
        load_w=load_w,
        pv_w=np.zeros(len(load_w)),
        load_range_w=load_range_w,
    )
    prior = Prior(load_w=SHAPE, pv_w=np.zeros(DAY))
    return draw(history, steps=DAY, zone=PARIS, prior=prior).load_w.mean(axis=0)


def test_hours_of_which_nothing_was_ever_known_are_those_of_this_building_not_of_another() -> None:
    """A week with 1.8 kW by day and unknown nights: a home of the prior has 250 W then."""
    load_w = np.full(7 * DAY, LOAD_W)
    load_w[np.arange(7 * DAY) % DAY < 40] = np.nan
    assert drawn(load_w)[:40].mean() == pytest.approx(LOAD_W, rel=0.45)
    assert drawn(load_w)[:40].min() > 900.0
    assert drawn(np.full(7 * DAY, LOAD_W)) == pytest.approx(np.full(DAY, LOAD_W), rel=0.01)


def test_what_is_known_of_a_day_within_bounds_stays_in_them() -> None:
    load_w, bounds = np.full(7 * DAY, 400.0), np.full((7 * DAY, 2), np.nan)
    at = np.arange(7 * DAY) % DAY < 8
    load_w[at] = np.nan
    bounds[at] = [1_500.0, 2_500.0]
    assert drawn(load_w, load_range_w=bounds)[:8].min() >= 1_400.0
    assert drawn(load_w)[:8].max() < 1_400.0


async def test_bounds_of_a_load_outlive_a_restart_and_yield_to_what_is_known_later(tmp_path: Path) -> None:
    t = 1_718_971_200
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        past = HistoryStore(outbox)
        await past.save_quarters(
            [
                Quarter(start_s=t, load_w=None, pv_w=None, load_range_w=(100.0, 900.0)),
                Quarter(start_s=t + 900, load_w=None, pv_w=0.0, load_range_w=(1.0, 2.0)),
            ]
        )
        await past.save_quarters([Quarter(start_s=t + 900, load_w=300.0, pv_w=0.0)])
        found = await past.quarters(t + 1800, days=28)
    assert found.load_range_w is not None
    assert np.array_equal(found.load_range_w, [[100.0, 900.0], [np.nan, np.nan]], equal_nan=True)
