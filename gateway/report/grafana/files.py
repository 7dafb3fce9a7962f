"""All files of config/grafana/, in both languages."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from gateway.report.grafana import alerts, provisioning
from gateway.report.grafana.board import GrafanaBoard
from gateway.report.grafana.boards.building import building
from gateway.report.grafana.boards.devices import devices
from gateway.report.grafana.boards.energy import energy
from gateway.report.grafana.boards.fleet import fleet
from gateway.report.grafana.boards.loads import loads
from gateway.report.grafana.boards.nodes import nodes
from gateway.report.grafana.boards.why import why
from gateway.report.grafana.texts import Speaker
from gateway.words import LANGUAGES

BOARDS: tuple[Callable[[Speaker], GrafanaBoard], ...] = (building, energy, why, loads, devices, nodes, fleet)
OF_SDK = {"auto", "auto_count", "auto_min"}  # the SDK gives them to each variable; only intervals have them


def files() -> Mapping[str, str]:
    """Path below config/grafana/ -> text. JSON is valid YAML, which is what Grafana reads of the provisioning."""
    found: dict[str, object] = {
        "provisioning/datasources/zen.yaml": provisioning.sources(),
        "provisioning/dashboards/zen.yaml": provisioning.folders(),
        "provisioning/alerting/contacts.yaml": provisioning.contacts(),
    }
    for language in LANGUAGES:
        for make in BOARDS:
            board = make(Speaker(language))
            found[f"{language}/dashboards/{board.name}.json"] = dashboard(board)
        found[f"{language}/rules.yaml"] = alerts.provisioned(Speaker(language))
    return {name: _text(value) for name, value in found.items()}


def dashboard(board: GrafanaBoard) -> dict[str, Any]:
    """The keys of a dashboard, without those that the SDK adds and Grafana does not know."""
    keys: dict[str, Any] = json.loads(json.dumps(board.built(), cls=JSONEncoder))
    for variable in keys["templating"]["list"]:
        for name in OF_SDK & set(variable):
            del variable[name]
    for link in keys["links"]:
        del link["placement"]  # in a menu; without it above the panels, where people see it
    for panel in keys["panels"]:
        panel.pop("repeatDirection", None)  # nothing is repeated
        if panel["type"] == "table":
            panel["options"].pop("footer", None)
    return keys


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
