// Biome refuses imports upwards and between features: what `biome.json` says about them holds for planted ones.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const WEB = new URL('..', import.meta.url).pathname;
const planted = mkdtempSync(join(tmpdir(), 'layers-'));
afterAll(() => rmSync(planted, { recursive: true }));

const UPWARDS = 'A layer imports only from those below it.';
const BETWEEN = 'Features never import each other.';

it('refuses imports upwards and between features, of values, of types, and late ones', () => {
  const files: readonly [file: string, source: string, refusal: string | null][] = [
    ['src/theme/a.ts', `export { b } from '../model/b.ts';`, UPWARDS],
    ['src/canvas/a.ts', `export const b = () => import('../ui/b.ts');`, UPWARDS],
    ['src/ui/A/a.tsx', `import { b } from '../../core/b.ts';\nb();`, UPWARDS],
    ['src/core/a.ts', `import type { B } from '../features/map/b.ts';\nexport type A = B;`, UPWARDS],
    ['src/features/map/a.tsx', `export { b } from '../../app/b.ts';`, UPWARDS],
    ['src/features/map/b.ts', `export { b } from '../explore/b.ts';`, BETWEEN],
    ['src/features/trace/details/a.ts', `export { b } from '../../explore/b.ts';`, BETWEEN],
    ['src/features/trace/details/b.ts', `export { b } from '../state/b.ts';`, null],
    ['src/features/trace/details/c.ts', `export { b } from '../../../core/b.ts';`, null],
    ['src/features/map/c.ts', `export { b } from './b/c.ts';`, null],
    ['src/app/a.ts', `export { b } from '../features/map/b.ts';`, null],
  ];
  cpSync(join(WEB, 'biome.json'), join(planted, 'biome.json'));
  for (const [file, source] of files) {
    mkdirSync(dirname(join(planted, file)), { recursive: true });
    writeFileSync(join(planted, file), `${source}\n`);
  }
  const args = ['lint', '--only=style/noRestrictedImports', '--reporter=json', '.'];
  const run = spawnSync(join(WEB, 'node_modules/.bin/biome'), args, { cwd: planted, encoding: 'utf8' });
  type Diagnostic = { message: string; location: { path: string } };
  const { diagnostics } = JSON.parse(run.stdout) as { diagnostics: Diagnostic[] };
  const refusalOf = (file: string) => diagnostics.find(({ location }) => location.path === file)?.message ?? null;
  expect(files.map(([file]) => [file, refusalOf(file)])).toEqual(files.map(([file, , refusal]) => [file, refusal]));
});
