"""config/grafana/ is what the code writes, and every file of it is one that Grafana's own models read without loss."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as model
from pydantic import BaseModel, ConfigDict, Field

from gateway.report.grafana import mappings
from gateway.report.grafana.__main__ import main
from gateway.report.grafana.alerts import WATCHES, provisioned
from gateway.report.grafana.files import BOARDS, files
from gateway.report.grafana.influxql import QueryError, query
from gateway.report.grafana.texts import Speaker, texts
from gateway.words import LANGUAGES, WordError, words

register_default_plugins()
FILES = {name: json.loads(text) for name, text in files().items()}
DASHBOARDS = {name: one for name, one in FILES.items() if "/dashboards/" in name and name.endswith(".json")}
# Those of getValueFormats() of @grafana/data 13.2.3 that are used here.
UNITS = {"watt", "watth", "percent", "currencyEUR", "celsius", "s", "ms", "short", "mbytes", "kbytes", "massg"}
KINDS = {"row", "timeseries", "stat", "state-timeline", "table"}


def test_what_is_committed_is_what_the_code_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().out


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Keys and values of a file that the models do not give back."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from lost(value, after[key], f"{path}/{key}") if key in after else [f"{path}/{key}"]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{path}[{number}]")
    elif before != after:
        yield path


def mistakes(board: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a dashboard: keys that Grafana does not know, and our own rules."""
    try:
        read = model.Dashboard.from_json(copy.deepcopy(dict(board)))
    except Exception as error:  # noqa: BLE001 - the models raise whatever a wrong type leads to
        yield f"not readable: {type(error).__name__} {error}"
        return
    yield from (f"unknown key {path}" for path in lost(board, json.loads(json.dumps(read, cls=JSONEncoder))))
    if "id" in board or not board.get("uid"):
        yield "a file has a uid and no id"
    numbers = [panel["id"] for panel in board["panels"]]
    if len(set(numbers)) != len(numbers):
        yield f"panel ids occur twice: {numbers}"
    yield from _places(board["panels"])
    for panel in board["panels"]:
        yield from _panel(panel)


def _places(panels: list[dict[str, Any]]) -> Iterator[str]:
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        if place["x"] + place["w"] > 24 or taken & cells:
            yield f"{panel['title']}: wider than the page, or on another panel"
        taken |= cells


def _panel(panel: Mapping[str, Any]) -> Iterator[str]:
    if panel["type"] not in KINDS:
        yield f"unknown type {panel['type']}"
    if panel["type"] == "row":
        return
    if len(panel.get("description", "")) < 15:
        yield f"{panel['title']}: no help"
    config = panel["fieldConfig"]
    units = [config["defaults"].get("unit")]
    units += [one["value"] for each in config["overrides"] for one in each["properties"] if one["id"] == "unit"]
    yield from (f"{panel['title']}: unit {unit}" for unit in units if unit and unit not in UNITS and ":" not in unit)
    for target in panel["targets"]:
        if target["datasource"]["uid"] not in ("zen-raw", "zen-quarters") or "$timeFilter" not in target["query"]:
            yield f"{panel['title']}: {target}"
        if target["resultFormat"] == "time_series" and panel["type"] != "stat" and not target.get("alias"):
            yield f"{panel['title']}: a series without a name"


@pytest.mark.parametrize("name", sorted(DASHBOARDS))
def test_a_dashboard_is_read_without_loss_and_keeps_our_rules(name: str) -> None:
    assert list(mistakes(DASHBOARDS[name])) == []


def changed(path: str, value: Any) -> dict[str, Any]:
    board = copy.deepcopy(DASHBOARDS["en/dashboards/building.json"])
    place: Any = board
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        place = place[part]
    place[last] = value
    return board


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("panels.1.options.colour", "red", "unknown key /panels[1]/options/colour"),
        ("panels.7.fieldConfig.defaults.custom.filling", 3, "unknown key"),
        ("panels.1.fieldConfig.defaults.unit", "kwh", "unit kwh"),
        ("panels.1.gridPos.w", 30, "wider than the page"),
        ("panels.2.id", 101, "ids occur twice"),
        ("panels.1.type", "stats", "unknown type stats"),
        ("panels.1.description", "", "no help"),
        ("uid", "", "a file has a uid"),
        ("colour", "red", "unknown key /colour"),
    ],
)
def test_a_mistake_in_a_dashboard_is_found(path: str, value: Any, says: str) -> None:
    assert any(says in one for one in mistakes(changed(path, value)))


@pytest.mark.parametrize(
    ("measurement", "select"),
    [("site", 'mean("grid")'), ("account", 'sum("p_w")'), ("load", 'last("soc_percent")'), ("plan", '"sentense"')],
)
def test_a_name_that_the_schema_does_not_have_is_no_query(measurement: str, select: str) -> None:
    if measurement == "load":  # any point may be one of a load
        assert query(measurement, select)
        return
    with pytest.raises(QueryError, match=measurement):
        query(measurement, select)


def test_both_languages_have_the_same_boards_panels_and_queries() -> None:
    for name, english in DASHBOARDS.items():
        if name.startswith("en/"):
            french = DASHBOARDS[f"fr{name[2:]}"]
            for one, other in zip(english["panels"], french["panels"], strict=True):
                assert (one["id"], one["type"], one["gridPos"]) == (other["id"], other["type"], other["gridPos"])
                queries = [[target["query"] for target in panel.get("targets", [])] for panel in (one, other)]
                assert queries[0] == queries[1]


def test_every_text_is_said_and_french_has_its_spaces() -> None:
    said = set()
    for language in LANGUAGES:
        speaker = Speaker(language)
        for make in BOARDS:
            make(speaker)
        provisioned(speaker)
        said |= speaker.said
    assert set(texts()) == said
    for key, pair in texts().items():
        assert not re.search(r" [:;?!»%]|« |'", pair["fr"]), key
        assert len(pair) == 2
    with pytest.raises(WordError, match=r"texts\.json"):
        Speaker("en")("no.such.text")


# Reasons that no device is ever given: of plans, of the gateway's own state.
OF_NO_DEVICE = re.compile(
    "start|stop|second_|watch_|no_b|clock_|assumed_|(plan|tariff|forecast|weather|solver|note|co2|sell)_"
)


def test_every_reason_has_a_name_and_trouble_is_not_called_other() -> None:
    for key in words("en"):
        if key.startswith("reason."):
            code = key.removeprefix("reason.")
            name = next(name for pattern, name, _ in mappings.REASONS if re.fullmatch(pattern, code))
            assert name != "other" or OF_NO_DEVICE.match(code), code


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class JsonData(Strict):
    database: Annotated[str, Field(alias="dbName")]
    mode: Annotated[Literal["POST"], Field(alias="httpMode")]
    header: Annotated[Literal["Authorization"], Field(alias="httpHeaderName1")]
    interval: Annotated[str, Field(alias="timeInterval")]


class Secure(Strict):
    value: Annotated[str, Field(alias="httpHeaderValue1", pattern=r"^Token \$ZEN_\w+$")]


class Source(Strict):
    name: str
    uid: str
    type: Literal["influxdb"]
    access: Literal["proxy"]
    url: Annotated[str, Field(pattern=r"^\$ZEN_\w+$")]
    editable: bool
    json_data: Annotated[JsonData, Field(alias="jsonData")]
    secure: Annotated[Secure, Field(alias="secureJsonData")]


class Sources(Strict):
    version: Annotated[Literal[1], Field(alias="apiVersion")]
    datasources: list[Source]


def test_the_provisioning_fits_together() -> None:
    sources = Sources.model_validate(FILES["provisioning/datasources/zen.yaml"])
    uids = {one.uid for one in sources.datasources}
    boards = {board["uid"]: board for board in DASHBOARDS.values()}
    for board in DASHBOARDS.values():
        asked = {target["datasource"]["uid"] for panel in board["panels"] for target in panel.get("targets", [])}
        assert asked <= uids
        for link in board["links"]:
            assert re.sub(r"\?.*", "", link["url"]).removeprefix("/d/") in boards
    for language in LANGUAGES:
        rules = FILES[f"{language}/rules.yaml"]["groups"][0]["rules"]
        assert len(rules) == len(WATCHES) == len({rule["uid"] for rule in rules})
        for rule in rules:
            board = boards[rule["annotations"]["__dashboardUid__"]]
            assert int(rule["annotations"]["__panelId__"]) in {panel["id"] for panel in board["panels"]}, rule["title"]
            assert rule["data"][0]["datasourceUid"] in uids
            assert "${" not in rule["data"][0]["model"]["query"], "no variables in rules"
            assert rule["execErrState"] == "KeepLast"
    [provider] = FILES["provisioning/dashboards/zen.yaml"]["providers"]
    assert provider["folder"] == FILES["fr/rules.yaml"]["groups"][0]["folder"]
