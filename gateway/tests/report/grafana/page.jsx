// Draws one dashboard from its own JSON and the real answers of a database, with Grafana's component library.
// Every setting of a panel is honoured or refused: what is not in HONOURED ends in an error on the page.
import React from 'react';
import { createRoot } from 'react-dom/client';
import {
  FieldConfigOptionsRegistry, FieldType, ThemeContext, applyFieldOverrides, cacheFieldDisplayNames, createTheme, dateTime,
  displayNameOverrideProcessor, getFieldDisplayValues, identityOverrideProcessor, numberOverrideProcessor,
  standardFieldConfigEditorRegistry, standardTransformers, standardTransformersRegistry, systemDateFormats,
  thresholdsOverrideProcessor, toDataFrame, transformDataFrame, unitOverrideProcessor, valueMappingsOverrideProcessor,
} from '@grafana/data';
import {
  AxisPlacement, BigValue, BigValueColorMode, BigValueGraphMode, BigValueJustifyMode, BigValueTextMode, GlobalStyles,
  PanelChrome, ScaleDirection, ScaleOrientation, TimeSeries, UPlotChart, UPlotConfigBuilder,
} from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';

const HELD_MS = 960_000; // a state is written again at each quarter hour
const WIDTH = 1240, CELL = 30, GAP = 8, COLUMN = (WIDTH - GAP * 23) / 24;
const HONOURED = {
  panel: 'id type title description datasource gridPos targets options fieldConfig interval timeFrom transformations transparent',
  timeseries: 'legend tooltip',
  stat: 'reduceOptions colorMode graphMode textMode justifyMode orientation wideLayout showPercentChange percentChangeColorMode',
  table: 'showHeader cellHeight sortBy frameIndex showTypeIcons',
  'state-timeline': 'mergeValues showValue rowHeight legend tooltip alignValue perPage',
  defaults: 'unit decimals min max mappings thresholds noValue custom color',
  custom: 'drawStyle lineWidth fillOpacity showPoints spanNulls insertNulls lineInterpolation stacking barAlignment barWidthFactor axisSoftMin',
  override: 'unit decimals mappings color links custom.width custom.cellOptions',
  row: 'id type title gridPos panels collapsed',
};
function refuse(kind, keys, where) {
  const known = new Set(HONOURED[kind].split(' '));
  for (const key of keys) if (!known.has(key)) throw new Error(`${where}: ${key} is not honoured here`);
}
function checked(panel) {
  if (panel.type === 'row') return refuse('row', Object.keys(panel), panel.title);
  refuse('panel', Object.keys(panel), panel.title);
  refuse(panel.type, Object.keys(panel.options ?? {}), panel.title);
  if (panel.transparent || (panel.options.alignValue ?? 'left') !== 'left') throw new Error(`${panel.title}: not drawn so here`);
  refuse('defaults', Object.keys(panel.fieldConfig?.defaults ?? {}), panel.title);
  if (panel.type === 'timeseries') refuse('custom', Object.keys(panel.fieldConfig.defaults.custom), panel.title);
  for (const one of panel.fieldConfig?.overrides ?? []) {
    if (one.matcher.id !== 'byName') throw new Error(`${panel.title}: matcher ${one.matcher.id}`);
    refuse('override', one.properties.map((each) => each.id), panel.title);
  }
}

// What Grafana's core registers.
const item = (id, process) => ({
  id, path: id, name: id, process, override: process, shouldApply: () => true, editor: () => null, settings: {},
  getItemsCount: () => 1, isCustom: false,
});
const STANDARD = [
  item('unit', unitOverrideProcessor), item('decimals', numberOverrideProcessor), item('min', numberOverrideProcessor),
  item('max', numberOverrideProcessor), item('displayName', displayNameOverrideProcessor), item('noValue', identityOverrideProcessor),
  item('thresholds', thresholdsOverrideProcessor), item('mappings', valueMappingsOverrideProcessor), item('color', identityOverrideProcessor),
  item('links', identityOverrideProcessor),
];
const CUSTOM = [...HONOURED.custom.split(' '), 'width', 'cellOptions', 'pointSize', 'gradientMode', 'axisPlacement', 'thresholdsStyle'];
standardFieldConfigEditorRegistry.setInit(() => STANDARD);
standardTransformersRegistry.setInit(() =>
  [...new Map(Object.values(standardTransformers).map((one) => [one.id, one])).values()].map((one) => ({
    id: one.id, name: one.name, transformation: () => Promise.resolve(one), editor: () => null,
  }))
);
const registry = new FieldConfigOptionsRegistry(() => [
  ...STANDARD, ...CUSTOM.map((id) => ({ ...item(`custom.${id}`, identityOverrideProcessor), path: id, isCustom: true })),
]);

const given = await (await fetch(`${new URLSearchParams(location.search).get('board')}.data.json`)).json();
const { board, answers, spans, zone, caption } = given;
await Promise.all(['400 12px Inter', '500 12px Inter'].map((font) => document.fonts.load(font)));
const theme = createTheme({ colors: { mode: new URLSearchParams(location.search).get('theme') } });
systemDateFormats.update({
  ...systemDateFormats, fullDate: 'DD/MM/YYYY HH:mm:ss',
  interval: { ...systemDateFormats.interval, day: 'DD/MM', hour: 'DD/MM HH:mm', minute: 'HH:mm' },
});
const rangeOf = (panel) => {
  const [from, to] = spans[panel.id].map((ms) => dateTime(ms));
  return { from, to, raw: { from, to } };
};

function framesOf(panel) {
  return panel.targets.flatMap((target) =>
    (answers[panel.id][target.refId].series ?? []).flatMap((series) => {
      if (target.resultFormat === 'table') return [{ target, series }];
      return series.columns.slice(1).map((column, index) => ({ target, series, column, index: index + 1 }));
    })
  );
}
function named(target, series, column) {
  return (target.alias || `${series.name}.${column}`).replace(/\$tag_(\w+)/g, (_, tag) => series.tags?.[tag] ?? '');
}
function timed(panel) {
  return framesOf(panel).map(({ target, series, column, index }) =>
    toDataFrame({
      refId: target.refId, name: named(target, series, column),
      fields: [
        { name: 'Time', type: FieldType.time, values: series.values.map((row) => row[0]) },
        {
          name: 'Value', values: series.values.map((row) => row[index]), config: { displayNameFromDS: named(target, series, column) },
          type: typeof series.values[0][index] === 'string' ? FieldType.string : FieldType.number,
        },
      ],
    })
  );
}
function tabled(panel) {
  const all = framesOf(panel);
  const tags = Object.keys(all[0]?.series.tags ?? {});
  const columns = all[0]?.series.columns ?? [];
  const rows = all.flatMap(({ series }) => series.values.map((row) => [row[0], ...tags.map((tag) => series.tags[tag]), ...row.slice(1)]));
  const names = ['Time', ...tags, ...columns.slice(1)];
  return toDataFrame({
    fields: names.map((name, number) => {
      const values = rows.map((row) => row[number] ?? null);
      const isText = values.some((value) => typeof value === 'string');
      return { name, values, type: number === 0 ? FieldType.time : isText ? FieldType.string : FieldType.number };
    }),
  });
}
function configured(panel, frames) {
  const fieldConfig = { defaults: { thresholds: { mode: 'absolute', steps: [{ value: -Infinity, color: 'text' }] }, ...panel.fieldConfig.defaults }, overrides: panel.fieldConfig.overrides ?? [] };
  fieldConfig.defaults.color ??= { mode: panel.type === 'stat' ? 'thresholds' : 'palette-classic' };
  const steps = fieldConfig.defaults.thresholds.steps.map((step) => ({ ...step, value: step.value ?? -Infinity }));
  fieldConfig.defaults = { ...fieldConfig.defaults, thresholds: { ...fieldConfig.defaults.thresholds, steps } };
  const done = applyFieldOverrides({ data: frames, fieldConfig, fieldConfigRegistry: registry, replaceVariables: (text) => text, theme, timeZone: zone });
  cacheFieldDisplayNames(done);
  return { frames: done, fieldConfig };
}

function Lines({ panel, width, height }) {
  const { frames } = configured(panel, timed(panel));
  const range = rangeOf(panel);
  return <TimeSeries frames={frames} width={width} height={height} timeRange={range} timeZone={zone} legend={{ ...panel.options.legend, showLegend: panel.options.legend.showLegend }} />;
}
function Number({ panel, width, height }) {
  const { frames, fieldConfig } = configured(panel, timed(panel));
  const options = panel.options;
  const shown = getFieldDisplayValues({ data: frames, fieldConfig, reduceOptions: options.reduceOptions, replaceVariables: (text) => text, theme, timeZone: zone, sparkline: options.graphMode === 'area' });
  const value = shown[0]?.display ?? { text: panel.fieldConfig.defaults.noValue, numeric: NaN };
  return <BigValue width={width} height={height} theme={theme} value={{ ...value, title: undefined }} sparkline={shown[0]?.sparkline} colorMode={options.colorMode ?? BigValueColorMode.Value} graphMode={options.graphMode ?? BigValueGraphMode.None} textMode={options.textMode ?? BigValueTextMode.Value} justifyMode={options.justifyMode ?? BigValueJustifyMode.Auto} />;
}
function Rows({ panel, width, height }) {
  const [frame, setFrame] = React.useState(null);
  React.useEffect(() => {
    const waiting = transformDataFrame(panel.transformations ?? [], [tabled(panel)]).subscribe((done) => setFrame(configured(panel, done).frames[0]));
    return () => waiting.unsubscribe();
  }, []);
  if (!frame) return null;
  const sorted = (panel.options.sortBy ?? []).map((one) => ({ displayName: one.displayName, desc: one.desc }));
  return <TableNG data={frame} width={width} height={height} timeRange={rangeOf(panel)} initialSortBy={sorted} cellHeight={panel.options.cellHeight} noHeader={!panel.options.showHeader} />;
}
function States({ panel, width, height }) {
  const { frames } = configured(panel, timed(panel));
  const range = rangeOf(panel), labels = 130, below = 26;
  const step = Math.max(...frames.map((frame) => { const t = frame.fields[0].values; return t.length > 1 ? Math.min(...t.slice(1).map((at, i) => at - t[i])) : 0; }), 0);
  const lane = (height - below) / Math.max(frames.length, 1);
  const spans = frames.map((frame) => {
    const [time, field] = frame.fields, found = [];
    for (let i = 0; i < time.values.length; i++) {
      const end = Math.min(time.values[i + 1] ?? Infinity, time.values[i] + Math.max(step, HELD_MS), range.to.valueOf());
      const last = found.at(-1), shown = field.display(field.values[i]);
      if (last && last.shown.text === shown.text && last.end >= time.values[i] && panel.options.mergeValues) last.end = end;
      else found.push({ begin: time.values[i], end, shown });
    }
    return { name: field.config.displayNameFromDS, found };
  });
  const config = new UPlotConfigBuilder(zone);
  config.addScale({ scaleKey: 'x', isTime: true, orientation: ScaleOrientation.Horizontal, direction: ScaleDirection.Right, range: () => [range.from.valueOf(), range.to.valueOf()] });
  config.addScale({ scaleKey: 'y', isTime: false, orientation: ScaleOrientation.Vertical, direction: ScaleDirection.Up, range: () => [0, 1] });
  config.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone: zone, theme, grid: { show: true } });
  config.addAxis({ scaleKey: 'y', placement: AxisPlacement.Left, theme, size: labels, values: () => [], grid: { show: false }, ticks: { show: false } });
  config.addSeries({ scaleKey: 'y', theme, pathBuilder: () => null, pointsBuilder: () => null, show: true });
  config.addHook('draw', (plot) => {
    const ctx = plot.ctx, ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${12 * ratio}px Inter, sans-serif`;
    ctx.textBaseline = 'middle';
    spans.forEach(({ name, found }, row) => {
      const tall = plot.bbox.height / spans.length, top = plot.bbox.top + tall * row + tall * (1 - panel.options.rowHeight) / 2, high = tall * panel.options.rowHeight;
      ctx.fillStyle = theme.colors.text.primary;
      ctx.textAlign = 'right';
      ctx.fillText(name, plot.bbox.left - 8 * ratio, top + high / 2);
      ctx.textAlign = 'left';
      for (const one of found) {
        const left = plot.valToPos(Math.max(one.begin, range.from.valueOf()), 'x', true), right = plot.valToPos(one.end, 'x', true);
        ctx.globalAlpha = panel.fieldConfig.defaults.custom.fillOpacity / 100;
        ctx.fillStyle = one.shown.color ?? theme.colors.text.disabled;
        ctx.fillRect(left, top, Math.max(right - left, 1), high);
        ctx.globalAlpha = 1;
        ctx.fillStyle = theme.colors.text.primary;
        if (ctx.measureText(one.shown.text).width < right - left - 8 * ratio) ctx.fillText(one.shown.text, left + 5 * ratio, top + high / 2);
      }
    });
    ctx.restore();
  });
  const times = [range.from.valueOf(), range.to.valueOf()];
  return <UPlotChart data={[times, times.map(() => 0)]} config={config} width={width} height={height} timeRange={range} />;
}
const KINDS = { timeseries: Lines, stat: Number, table: Rows, 'state-timeline': States };

class Guard extends React.Component {
  state = {};
  static getDerivedStateFromError(error) { return { error }; }
  render() { return this.state.error ? <pre>{String(this.state.error.stack)}</pre> : this.props.children; }
}
function Placed({ panel }) {
  const { x, y, w, h } = panel.gridPos, Kind = KINDS[panel.type];
  const place = { position: 'absolute', left: x * (COLUMN + GAP), top: y * (CELL + GAP), width: w * (COLUMN + GAP) - GAP, height: h * (CELL + GAP) - GAP };
  checked(panel);
  if (panel.type === 'row') return <h4 style={{ ...place, paddingTop: 8, margin: 0 }}>{panel.title}</h4>;
  return (
    <div style={place}>
      <PanelChrome title={panel.title} description={panel.description} width={place.width} height={place.height}>
        {(width, height) => <Guard><Kind panel={panel} width={width} height={height} /></Guard>}
      </PanelChrome>
    </div>
  );
}
function Page() {
  const rows = Math.max(...board.panels.map((panel) => panel.gridPos.y + panel.gridPos.h));
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ width: WIDTH, margin: '14px 20px' }}>
        <h2 style={{ margin: '0 0 6px' }}>{board.title}</h2>
        <div style={{ position: 'relative', height: rows * (CELL + GAP) }}>
          {board.panels.map((panel) => <Guard key={panel.id}><Placed panel={panel} /></Guard>)}
        </div>
        <p id="caption" style={{ color: theme.colors.text.secondary, margin: '8px 0 0' }}>{caption}</p>
      </div>
    </ThemeContext.Provider>
  );
}
document.body.style.background = theme.colors.background.canvas;
document.body.style.color = theme.colors.text.primary;
createRoot(document.getElementById('root')).render(<Page />);
