from pathlib import Path

import pytest

from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.settings.house_file import load_house
from gateway.simulator.settings.mistakes import HouseFileError

DEMO = Path(__file__).parents[3] / "config" / "demo" / "house.toml"


def mistakes(folder: Path, text: str) -> dict[str, str]:
    path = folder / "house.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(HouseFileError) as caught:
        load_house(path)
    return {mistake.path: str(mistake) for mistake in caught.value.mistakes}


def test_the_demo_file_says_what_holds_without_it() -> None:
    demo = load_house(DEMO)
    assert demo.model_copy(update={"serve": HouseConfig().serve}) == HouseConfig()


def test_five_mistakes_get_five_messages_with_place_finding_and_remedy(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        """
        sead = 2
        [clock]
        start = "2024-06-21T12:05:00+02:00"
        [battery]
        soc = 1.5
        [serve.pv]
        tcp = "15020"
        [serve.meter]
        baud = 9601
        """,
    )
    assert set(found) == {"sead", "clock.start", "battery.soc", "serve.pv.tcp", "serve.meter.baud"}
    assert "allowed: seed, clock" in found["sead"]
    assert "without offset" in found["clock.start"]
    assert "found 1.5; allowed: less than or equal to 1" in found["battery.soc"]
    assert "host:port" in found["serve.pv.tcp"]
    assert "2400, 4800, 9600" in found["serve.meter.baud"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[battery]\nsoc = 0.01", "battery"),  # below soc_min
        ("[battery]\nsoc_min = 0.6\nsoc = 0.7\nsoc_max = 0.5", "battery"),
        ('[clock]\ntime_zone = "Europe/Lens"', "clock.time_zone"),
        ('[clock]\ntime_zone = "Europe"', "clock.time_zone"),  # a folder of zones
        ('[clock]\ntime_zone = ""', "clock.time_zone"),
        ('[serve.meter]\nserial = "meter\\u0000.tty"', "serve.meter.serial"),
        ('[load]\nfile = "\\u0000.csv"', "load.file"),
        ('[serve]\ncontrol = "\\u0000:1"', "serve.control"),
        ("[load]\ncolum = 'x'", "load.colum"),
    ],
)
def test_each_mistake_is_found_at_its_place(tmp_path: Path, text: str, path: str) -> None:
    assert list(mistakes(tmp_path, text)) == [path]


def test_a_file_that_is_no_toml_or_not_there_is_said_so(tmp_path: Path) -> None:
    (message,) = mistakes(tmp_path, "[clock").values()
    assert "house.toml" in message
    with pytest.raises(HouseFileError, match="No such file"):
        load_house(tmp_path / "none.toml")


def test_paths_count_from_the_folder_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_text('[load]\nfile = "data/x.csv"\n[serve.meter]\nserial = "../run/meter"\n', encoding="utf-8")
    config = load_house(path)
    assert config.load.file == tmp_path / "data" / "x.csv"
    assert config.serve.meter.serial == tmp_path.parent / "run" / "meter"


@pytest.mark.parametrize("start", ["1999-12-31T23:59:59", "2100-01-01T00:00:00", "0001-01-01T00:00:00"])
def test_a_start_that_the_nodes_cannot_count_is_a_mistake(tmp_path: Path, start: str) -> None:
    (message,) = mistakes(tmp_path, f"[clock]\nstart = {start}").values()
    assert message.startswith("clock.start")
    assert message.endswith("allowed: a time in the years 2000 to 2099")


@pytest.mark.parametrize("start", ["2000-01-01T00:00:00", "2099-12-31T23:59:59"])
def test_the_first_and_last_start_are_fine(start: str) -> None:
    assert HouseConfig.model_validate({"clock": {"start": start}}).clock.start.isoformat() == start


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("key", ["pv.kwp", "pv.latitude_deg", "battery.soc", "meter.error", "serve.pv.latency_s"])
def test_numbers_are_finite_and_the_message_says_so(tmp_path: Path, key: str, number: str) -> None:
    table, _, name = key.rpartition(".")
    (message,) = mistakes(tmp_path, f"[{table}]\n{name} = {number}").values()
    assert message.startswith(f"{key}: ")
    assert message.endswith("allowed: a finite number")


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("[serve.car]", "file", "a table [car] for what serve.car reaches"),
        ("[tank]\n[serve.heat_pump]", "file", "a table [heat_pump] for what serve.heat_pump reaches"),
        ('[car]\narrives = "18:00"', "car", "arrives and leaves"),
        ('[car]\narrives = "18:00"\nleaves = "18:00"', "car", "arrives and leaves"),
        ("[car]\nsoc = 0.9\nsoc_max = 0.8", "car", "soc at most soc_max"),
        ("[car]\nphases = 2", "car.phases", "1 or 3"),
        ("[car]\ncharger_a = 40", "car.charger_a", "32"),
        ('[tank.draws]\n"7:00" = 50', "tank.draws.7:00.[key]", ""),
        ("[tank]\nleast_c = 70", "tank", "inlet_c < least_c < limit_c"),
        ("[heat_pump]\npower_w = 400", "heat_pump", "least_w <= power_w <= most_w"),
        ('[heat_pump]\n[serve.heat_pump]\nprofile = "mypv_acthor"', "serve.heat_pump.profile", "stiebel_isg_wpm"),
    ],
)
def test_mistakes_about_loads_have_their_place_and_remedy(tmp_path: Path, text: str, path: str, says: str) -> None:
    found = mistakes(tmp_path, text)
    assert list(found) == [path]
    assert says in found[path]
