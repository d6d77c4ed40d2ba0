// The budgets of what a browser loads, checked after every build: gzip of JavaScript by the view that needs it, from
// the manifest of the build. A view that is over its budget fails the build.

import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const DIST = new URL('../dist/', import.meta.url).pathname;
/** @type {Record<string, { file: string, name?: string, imports?: string[], css?: string[], isEntry?: boolean }>} */
const manifest = JSON.parse(readFileSync(`${DIST}.vite/manifest.json`, 'utf8'));
const KB = 1000;

/** @param {string} file */
const gzip = (file) => readFileSync(`${DIST}${file}.gz`).length;

/** @param {string[]} starts */
function loaded(starts) {
  const seen = new Set();
  const files = new Set();
  const visit = (/** @type {string} */ key) => {
    const chunk = manifest[key];
    if (!chunk || seen.has(key)) return;
    seen.add(key);
    files.add(chunk.file);
    for (const next of chunk.imports ?? []) visit(next);
  };
  for (const start of starts) visit(start);
  return files;
}

/** @param {Iterable<string>} files */
const sum = (files) => [...files].filter((file) => file.endsWith('.js')).reduce((total, file) => total + gzip(file), 0);

const entry = Object.keys(manifest).find((key) => manifest[key]?.isEntry) ?? 'index.html';
const shell = loaded([entry]);
/** @param {string} feature */
const page = (feature) => loaded([entry, `src/features/${feature}/route.tsx`]);
/** @param {string} feature */
const own = (feature) => [...page(feature)].filter((file) => !shell.has(file));
/** @param {string} feature @param {string[]} modules */
const lazily = (feature, ...modules) => {
  const there = page(feature);
  return [...loaded(modules)].filter((file) => !there.has(file));
};
const all = new Set(Object.values(manifest).map((chunk) => chunk.file));

const assets = readdirSync(`${DIST}assets/`).map((name) => `assets/${name}`);
for (const file of assets) if (file.endsWith('.js')) all.add(file);
const worker = assets.filter((file) => /\/traceWorker-[^/]*\.js$/.test(file));
const css = assets.filter((file) => file.endsWith('.css'));

const rows = [
  ['shell', sum(shell), 170],
  ['search route', sum(own('explore')), 90],
  ['trace route, without worker', sum(own('trace')), 30],
  ['trace worker', sum(worker), 25],
  ['first search view', sum(loaded([entry, 'src/features/explore/route.tsx', 'src/app/RangeOf.tsx'])), 230],
  ['trace link, without worker', sum(page('trace')), 200],
  ['map, fetched when it is drawn', sum(lazily('map', 'src/features/map/Graph.tsx', 'src/features/map/layout.ts')), 90],
  ['query editor, fetched when it is used', sum(lazily('explore', 'src/query/editor.ts')), 130],
  ['all JavaScript', sum(all), 700],
  [
    'all CSS, as one',
    gzipSync(Buffer.concat(css.map((file) => readFileSync(`${DIST}${file}`))), { level: 9 }).length,
    25,
  ],
];

let failed = 0;
for (const [name, bytes, budget] of /** @type {[string, number, number][]} */ (rows)) {
  const over = bytes > budget * KB;
  failed += over ? 1 : 0;
  console.log(`${over ? 'OVER' : '    '} ${name.padEnd(28)} ${(bytes / KB).toFixed(1).padStart(6)} KB of ${budget}`);
}
if (failed > 0) {
  console.error(`${failed} of the sizes are over their budget (gzip, KB of 1,000 bytes)`);
  process.exit(1);
}
