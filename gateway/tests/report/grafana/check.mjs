// Whether dashboards fit the types that Grafana publishes: node check.mjs FILE…
// Each file becomes a literal of TypeScript, because only a literal is checked for keys that a type does not have.
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const RAW = '@grafana/schema/dist/esm/raw';
const PANELS = { timeseries: 'TimeSeries', stat: 'Stat', 'state-timeline': 'StateTimeline', table: 'Table' };
const WITH_CUSTOM = ['timeseries', 'state-timeline', 'table'];
const folder = fs.mkdtempSync(path.join(process.cwd(), 'types-'));
const moduleOf = (type) => `${RAW}/composable/${type.replace('-', '')}/panelcfg/x/${PANELS[type]}PanelCfg_types.gen`;

function written(file) {
  const board = JSON.parse(fs.readFileSync(file));
  const kinds = [...new Set(board.panels.map((panel) => panel.type).filter((type) => type in PANELS))];
  const lines = [
    `import type { Dashboard } from '${RAW}/dashboard/x/Dashboard_types.gen';`,
    ...kinds.map((type) => `import type * as ${PANELS[type]} from '${moduleOf(type)}';`),
    // Values of an enum are plain words in a file, and every key may be missing.
    'type Plain<T> = T extends string ? T | `${T}` : T extends number | boolean | null | undefined ? T',
    '  : T extends (infer U)[] ? Plain<U>[] : { [K in keyof T]?: Plain<T[K]> };',
    `export const board = ${JSON.stringify(board)} satisfies Plain<Dashboard>;`,
  ];
  board.panels.forEach((panel, number) => {
    const name = PANELS[panel.type];
    if (panel.type === 'row') return;
    if (!name) return lines.push(`export const type${number}: never = ${JSON.stringify(panel.type)};`);
    lines.push(`export const options${number} = ${JSON.stringify(panel.options)} satisfies Plain<${name}.Options>;`);
    const custom = panel.fieldConfig.defaults.custom;
    if (custom && WITH_CUSTOM.includes(panel.type))
      lines.push(`export const custom${number} = ${JSON.stringify(custom)} satisfies Plain<${name}.FieldConfig>;`);
  });
  const to = path.join(folder, `${path.basename(path.dirname(path.dirname(file)))}-${path.basename(file, '.json')}.ts`);
  fs.writeFileSync(to, lines.join('\n'));
  return to;
}
try {
  const program = ts.createProgram(process.argv.slice(2).map(written), {
    strict: true, noEmit: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
  });
  const found = ts.getPreEmitDiagnostics(program);
  for (const one of found) {
    const text = ts.flattenDiagnosticMessageText(one.messageText, ' | ').slice(0, 300);
    console.error(`${path.basename(one.file?.fileName ?? '')}: ${text}`);
  }
  process.exitCode = found.length ? 1 : 0;
} finally {
  fs.rmSync(folder, { recursive: true });
}
