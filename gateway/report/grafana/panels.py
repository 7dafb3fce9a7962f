"""Panels as the SDK builds them: each kind once, with everything in the file that a panel needs.

Defaults live in Grafana's own panels and not in a file; what is not said here would look otherwise elsewhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.builders import common, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog import builder as cog
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models import common as shape
from grafana_foundation_sdk.models import dashboard as model

from gateway.report.grafana.influxql import Query
from gateway.report.grafana.texts import Speaker

GAP_MS = 300_000  # a longer pause between two values is no line: a gap stays a gap
COLOURS: Mapping[str, str] = {
    "grid": "#E02F44",
    "export": "#B877D9",
    "pv": "#F2CC0C",
    "battery": "#56A64B",
    "load": "#3274D9",
    "loads": "#8AB8FF",
    "plan": "#FF9830",
    "band": "#9FA7B3",
    "bad": "#C4162A",
}
Steps = Sequence[tuple[float | None, str]]


class InfluxTarget(variants.Dataquery):
    """A query as Grafana's InfluxDB data source stores it; the SDK has none of its own."""

    def __init__(self, ref: str, query: Query) -> None:
        self.ref_id = ref
        self.query = query

    def to_json(self) -> dict[str, object]:
        """The keys of the file."""
        keys: dict[str, object] = {
            "refId": self.ref_id,
            "datasource": {"type": "influxdb", "uid": self.query.source},
            "rawQuery": True,
            "query": self.query.text,
            "resultFormat": "table" if self.query.is_table else "time_series",
        }
        return {**keys, "alias": self.query.alias} if self.query.alias else keys


class QueryTarget(cog.Builder[variants.Dataquery]):
    """The builder of one query."""

    def __init__(self, number: int, query: Query) -> None:
        self._target = InfluxTarget(chr(ord("A") + number), query)

    def build(self) -> InfluxTarget:
        """The query."""
        return self._target


def source(uid: str) -> shape.DataSourceRef:
    """A data source by its uid."""
    return shape.DataSourceRef(type_val="influxdb", uid=uid)


def colour(value: str) -> model.DynamicConfigValue:
    """A fixed colour of one series."""
    return model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": value})


def wide(pixels: int) -> model.DynamicConfigValue:
    """The width of a column."""
    return option("custom.width", pixels)


def option(name: str, value: object) -> model.DynamicConfigValue:
    """Any other setting of one series or column."""
    return model.DynamicConfigValue(id_val=name, value=value)


def thresholds(steps: Steps) -> Any:
    """From each value on, a colour; the first has none."""
    return (
        build.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=name) for value, name in steps])
    )


PLAIN: Steps = ((None, "text"),)


class Panels:
    """Makes panels whose titles and help are `<key>` and `<key>.help` of the texts."""

    def __init__(self, say: Speaker) -> None:
        self._say = say

    def _begun(self, panel: Any, key: str, queries: Sequence[Query], unit: str, decimals: int | None) -> Any:
        panel.title(self._say(key)).description(self._say(f"{key}.help")).datasource(source(queries[0].source))
        if unit:
            panel.unit(unit)
        if decimals is not None:
            panel.decimals(decimals)
        for number, query in enumerate(queries):
            panel.with_target(QueryTarget(number, query))
        return panel

    def lines(
        self,
        key: str,
        queries: Sequence[Query],
        *,
        unit: str,
        colours: Mapping[str, str] | None = None,
        fill: int = 10,
        steps: bool = False,
        stacked: bool = False,
        decimals: int | None = 1,
        every: str = "10s",
    ) -> Any:
        """Values over time. `colours`: by alias; `steps`: a value holds until the next one."""
        panel = self._begun(timeseries.Panel(), key, queries, unit, decimals)
        mode = shape.StackingMode.NORMAL if stacked else shape.StackingMode.NONE
        panel.interval(every).draw_style(shape.GraphDrawStyle.LINE).line_width(1).fill_opacity(fill)
        panel.show_points(shape.VisibilityMode.NEVER).span_nulls(False).insert_nulls(GAP_MS if not steps else 3_600_000)
        interpolation = shape.LineInterpolation.STEP_AFTER if steps else shape.LineInterpolation.LINEAR
        panel.line_interpolation(interpolation).stacking(common.StackingConfig().mode(mode).group("A"))
        return _with_legend(_coloured(panel, colours)).thresholds(thresholds(PLAIN))

    def bars(self, key: str, queries: Sequence[Query], *, unit: str, colours: Mapping[str, str] | None = None) -> Any:
        """A stacked bar for each day, hour or other group of time."""
        panel = self._begun(timeseries.Panel(), key, queries, unit, 1)
        panel.interval("1h").draw_style(shape.GraphDrawStyle.BARS).line_width(1).fill_opacity(70)
        panel.bar_alignment(shape.BarAlignment.AFTER).bar_width_factor(0.7).show_points(shape.VisibilityMode.NEVER)
        panel.stacking(common.StackingConfig().mode(shape.StackingMode.NORMAL).group("A")).axis_soft_min(0)
        return _with_legend(_coloured(panel, colours)).thresholds(thresholds(PLAIN))

    def number(
        self,
        key: str,
        query: Query,
        *,
        unit: str,
        steps: Steps = PLAIN,
        decimals: int | None = 1,
        spark: bool = False,
        since: str = "",
        reduce: str = "lastNotNull",
    ) -> Any:
        """One large number. `since`: another begin of its time, such as `now/d`."""
        panel = self._begun(stat.Panel(), key, [query], unit, decimals)
        panel.reduce_options(common.ReduceDataOptions().calcs([reduce]).values(False).fields(""))
        panel.color_mode(shape.BigValueColorMode.VALUE).text_mode(shape.BigValueTextMode.VALUE)
        panel.graph_mode(shape.BigValueGraphMode.AREA if spark else shape.BigValueGraphMode.NONE)
        panel.justify_mode(shape.BigValueJustifyMode.AUTO).orientation(shape.VizOrientation.AUTO)
        panel.no_value(self._say("no_value")).thresholds(thresholds(steps))
        return panel.time_from(since) if since else panel

    def states(self, key: str, queries: Sequence[Query], mappings: Sequence[Any], *, every: str = "1m") -> Any:
        """What something was, over time. `mappings`: values to words and colours."""
        panel = self._begun(statetimeline.Panel(), key, queries, "", None)
        panel.interval(every).merge_values(True).show_value(shape.VisibilityMode.AUTO).row_height(0.85)
        panel.fill_opacity(70).line_width(0).mappings(mappings).thresholds(thresholds(PLAIN))
        legend = common.VizLegendOptions().show_legend(False).display_mode(shape.LegendDisplayMode.LIST)
        panel.legend(legend.placement(shape.LegendPlacement.BOTTOM))
        return panel.tooltip(common.VizTooltipOptions().mode(shape.TooltipDisplayMode.SINGLE))

    def rows(
        self,
        key: str,
        query: Query,
        columns: Mapping[str, str],
        *,
        hidden: Sequence[str] = (),
        options: Mapping[str, Sequence[model.DynamicConfigValue]] | None = None,
        sort: tuple[str, bool] | None = None,
    ) -> Any:
        """A table. `columns`: by their names in the query, keys of the texts; `options`: by those same names."""
        panel = self._begun(table.Panel(), key, [query], "", None)
        names = {name: self._say(text) for name, text in columns.items()}
        organize = {
            "excludeByName": dict.fromkeys(hidden, True),
            "indexByName": {name: number for number, name in enumerate(names)},
            "renameByName": names,
        }
        panel.with_transformation(model.DataTransformerConfig(id_val="organize", options=organize))
        for name, values in (options or {}).items():
            panel.override_by_name(names[name], list(values))
        panel.show_header(True).cell_height(shape.TableCellHeight.SM).thresholds(thresholds(PLAIN))
        if sort is not None:
            panel.sort_by([common.TableSortByFieldState().display_name(names[sort[0]]).desc(sort[1])])
        return panel


def _coloured(panel: Any, colours: Mapping[str, str] | None) -> Any:
    for alias, name in (colours or {}).items():
        panel.override_by_name(alias, [colour(COLOURS[name])])
    return panel


def _with_legend(panel: Any) -> Any:
    legend = common.VizLegendOptions().show_legend(True).display_mode(shape.LegendDisplayMode.LIST).calcs([])
    panel.legend(legend.placement(shape.LegendPlacement.BOTTOM))
    tooltip = common.VizTooltipOptions().mode(shape.TooltipDisplayMode.MULTI).sort(shape.SortOrder.NONE)
    return panel.tooltip(tooltip)
