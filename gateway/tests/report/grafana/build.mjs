// Bundles page.jsx for the browser: node build.mjs page.jsx out.js (node_modules lies beside the copy of this file).
import { build } from 'esbuild';

// @grafana/ui imports an editor and a map that no panel of ours needs.
const unused = {
  name: 'unused',
  setup(b) {
    b.onResolve({ filter: /^(monaco-editor|@monaco-editor\/react|ol)(\/|$)/ }, (one) => ({ path: one.path, namespace: 'unused' }));
    b.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({
      contents: 'module.exports = new Proxy({}, { get: (_, key) => (key === "__esModule" ? false : class {}) })',
      loader: 'js',
    }));
  },
};
await build({
  entryPoints: [process.argv[2]],
  outfile: process.argv[3],
  bundle: true,
  format: 'esm',
  minify: true,
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  loader: { '.svg': 'dataurl', '.ttf': 'empty' },
  plugins: [unused],
  logLevel: 'warning',
});
