"""A dashboard: its variables, links and panels in their places."""

from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from gateway.database.schema import Bucket
from gateway.report.grafana.influxql import SOURCES
from gateway.report.grafana.panels import source
from gateway.report.grafana.texts import Speaker

NAMES = ("building", "energy", "why", "loads", "devices", "nodes", "fleet")
WIDTH = 24
PERIODS = (
    ("this_month", "now/M", "now/M"),
    ("last_month", "now-1M/M", "now-1M/M"),
    ("this_year", "now/y", "now/y"),
    ("last_year", "now-1y/y", "now-1y/y"),
)


class GrafanaBoard:
    """Panels get their numbers by their rows: links and alert rules point at these, so they stay what they are."""

    def __init__(self, name: str, say: Speaker, *, since: str, until: str = "now", refresh: str = "1m") -> None:
        self.name = name
        self.say = say
        self._row = 0
        self._in_row = 0
        self._board = (
            build.Dashboard(say(f"board.{name}"))
            .uid(f"zen-{name}")
            .description(say(f"board.{name}.help"))
            .tags(["zen-e-ville"])
            .timezone("browser")
            .readonly()
            .refresh(refresh)
            .time(since, until)
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
        )
        for other in NAMES:
            if other != name:
                link = build.DashboardLink(say(f"board.{other}")).type(model.DashboardLinkType.LINK)
                self._board.link(link.url(f"/d/zen-{other}").include_vars(True).keep_time(False))

    def choose_building(self) -> "GrafanaBoard":
        """Variables for one site and one building of it, and the clock by which days begin."""
        self._variable("site", 'SHOW TAG VALUES FROM "site" WITH KEY = "site"')
        wanted = 'SHOW TAG VALUES FROM "site" WITH KEY = "building" WHERE "site" =~ /^${site:regex}$/'
        self._variable("building", wanted)
        return self.clock()

    def clock(self) -> "GrafanaBoard":
        """The clock by which days begin."""
        self._board.with_variable(build.ConstantVariable("tz").value("Europe/Paris"))
        return self

    def periods(self) -> "GrafanaBoard":
        """Links to whole months and years of the same board."""
        for key, since, until in PERIODS:
            link = build.DashboardLink(self.say(f"period.{key}")).type(model.DashboardLinkType.LINK)
            url = f"/d/zen-{self.name}?from={since}&to={until}"
            self._board.link(link.url(url).include_vars(True).keep_time(False))
        return self

    def row(self, key: str) -> "GrafanaBoard":
        """A heading; what is added next stands below it."""
        self._row += 1
        self._in_row = 0
        self._board.with_row(build.Row(self.say(key)).id(100 * self._row))
        return self

    def add(self, panel: Any, *, width: int, height: int) -> "GrafanaBoard":
        """A panel to the right of the last one, or below where there is no room."""
        self._in_row += 1
        self._board.with_panel(panel.id(100 * self._row + self._in_row).span(width).height(height))
        return self

    def built(self) -> Any:
        """The dashboard as the SDK knows it."""
        return self._board.build()

    def _variable(self, name: str, query: str) -> None:
        self._board.with_variable(
            build.QueryVariable(name)
            .label(self.say(f"variable.{name}"))
            .datasource(source(SOURCES[Bucket.RAW]))
            .query(query)
            .refresh(model.VariableRefresh.ON_DASHBOARD_LOAD)
            .multi(False)
            .include_all(False)
            .sort(model.VariableSort.ALPHABETICAL_ASC)
        )
