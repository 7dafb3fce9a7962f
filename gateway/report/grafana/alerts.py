"""Alert rules as Grafana's file provisioning reads them. Their queries hold no variables: every building is watched."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from grafana_foundation_sdk.builders import alerting
from grafana_foundation_sdk.cog import builder as cog
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import alerting as model

from gateway.report.grafana.influxql import Query, query
from gateway.report.grafana.texts import Speaker

FOLDER = "Zen-e-Ville"
FOLDER_UID = "zen-e-ville"
OF_API = ("ruleGroup", "folderUID", "orgID", "id", "provenance", "updated")  # not in files
EXPRESSIONS = {"type": "__expr__", "uid": "__expr__"}
WHOLE = ("site", "building")
EACH_DEVICE = (*WHOLE, "device")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWatch:
    """One rule: its question over the last seconds, and beyond which number it fires."""

    name: str  # of its texts and its uid
    query: Query
    over_s: int
    fires: str  # gt or lt
    limit: float
    lasts: str  # so long before it fires
    board: str
    panel: int  # of that board
    severity: str
    no_data: Literal["OK", "Alerting"] = "OK"


WATCHES = (
    AlertWatch(
        name="alarm",
        query=query("alarm", 'last("is_on")', by=EACH_DEVICE, everywhere=True),
        over_s=1800,
        fires="gt",
        limit=0.5,
        lasts="0s",
        board="building",
        panel=206,
        severity="warning",
    ),
    AlertWatch(
        name="silent",
        query=query("site", 'count("is_curtailed")', by=("time(10m)", *WHOLE), everywhere=True),
        over_s=86400,
        fires="lt",
        limit=1.0,
        lasts="10m",
        board="fleet",
        panel=101,
        severity="critical",
        no_data="Alerting",
    ),
    AlertWatch(
        name="node",
        query=query("node", 'last("is_up")', by=EACH_DEVICE, everywhere=True),
        over_s=900,
        fires="lt",
        limit=0.5,
        lasts="5m",
        board="nodes",
        panel=101,
        severity="warning",
    ),
    AlertWatch(
        name="import",
        query=query("gateway", 'max("import_share_pct")', by=WHOLE, everywhere=True),
        over_s=300,
        fires="gt",
        limit=95.0,
        lasts="2m",
        board="devices",
        panel=206,
        severity="warning",
    ),
    AlertWatch(
        name="lost",
        query=query("gateway", 'spread("dropped")', by=WHOLE, everywhere=True),
        over_s=3600,
        fires="gt",
        limit=0.0,
        lasts="0s",
        board="devices",
        panel=202,
        severity="critical",
    ),
    AlertWatch(
        name="writes",
        query=query("device", 'last("writes_left")', by=EACH_DEVICE, everywhere=True),
        over_s=900,
        fires="lt",
        limit=5.0,
        lasts="0s",
        board="devices",
        panel=102,
        severity="info",
    ),
)


class _Model(variants.Dataquery):
    def __init__(self, body: Mapping[str, object]) -> None:
        self.body = body

    def to_json(self) -> Mapping[str, object]:
        return self.body


class _Raw(cog.Builder[variants.Dataquery]):
    def __init__(self, body: Mapping[str, object]) -> None:
        self._body = body

    def build(self) -> _Model:
        return _Model(self._body)


def provisioned(say: Speaker) -> dict[str, object]:
    """The file of all rules."""
    rules = [_rule(watch, say) for watch in WATCHES]
    group = alerting.RuleGroup("zen").folder_uid(FOLDER_UID).interval(60).rules(rules).build()
    api = json.loads(json.dumps(group, cls=JSONEncoder))
    kept = [{key: value for key, value in rule.items() if key not in OF_API} for rule in api["rules"]]
    groups = [{"orgId": 1, "name": "zen", "folder": FOLDER, "interval": "60s", "rules": kept}]
    return {"apiVersion": 1, "groups": groups}


def _rule(watch: AlertWatch, say: Speaker) -> Any:
    board = {"__dashboardUid__": f"zen-{watch.board}", "__panelId__": str(watch.panel)}
    rule = (
        alerting.Rule(say(f"alert.{watch.name}"))
        .uid(f"zen-{watch.name}")
        .condition("C")
        .for_val(watch.lasts)
        .no_data_state(watch.no_data)
        .exec_err_state("KeepLast")
        .labels({"severity": watch.severity})
        .annotations({"summary": say(f"alert.{watch.name}.help"), **board})
    )
    for part in _questions(watch):
        rule.with_query(part)
    return rule


def _questions(watch: AlertWatch) -> Iterator[Any]:
    """The question, its last number, and the comparison."""
    span = model.RelativeTimeRange(from_val=watch.over_s, to=0)
    none = model.RelativeTimeRange(from_val=0, to=0)
    asked = {
        "refId": "A",
        "datasource": {"type": "influxdb", "uid": watch.query.source},
        "rawQuery": True,
        "resultFormat": "time_series",
        "query": watch.query.text.replace(" fill(none)", " fill(0)"),  # a time without rows is a number to look at
        "intervalMs": 60_000,
        "maxDataPoints": 1440,
    }
    last = {"refId": "B", "type": "reduce", "reducer": "last", "expression": "A", "datasource": EXPRESSIONS}
    test = {"evaluator": {"type": watch.fires, "params": [watch.limit]}}
    above = {"refId": "C", "type": "threshold", "expression": "B", "conditions": [test], "datasource": EXPRESSIONS}
    source = watch.query.source
    yield alerting.Query("A").datasource_uid(source).relative_time_range(span).model(_Raw(asked))
    yield alerting.Query("B").datasource_uid("__expr__").relative_time_range(none).model(_Raw(last))
    yield alerting.Query("C").datasource_uid("__expr__").relative_time_range(none).model(_Raw(above))
