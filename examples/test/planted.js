// Plants faults in copies of a sample, one at a time, and shows that the named test fails with each.
//
// Refuses a fault whose place is not found exactly once: the code has changed, and the fault has to follow.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * Says which faults were caught, and sets the exit code. `addTo` puts what else the tests read into the project of a
 * copy.
 */
export function catchAll(home, faults, testMsMax, addTo = () => {}) {
  if (!process.env.TRACKWAY_BIN) {
    console.error('TRACKWAY_BIN does not say where the program is');
    process.exit(2);
  }
  const run = (fault, pattern) => runCopy(home, fault, pattern, testMsMax, addTo);
  // Without a fault the same tests pass in such a copy; or else a failure below would show nothing.
  const names = new Set(faults.map(({ test }) => test));
  const whole = run(undefined, `^(${[...names].map(literally).join('|')})$`);
  if (whole.status !== 0) throw new Error(`the tests fail without a fault:\n${whole.stdout}`);
  let caught = 0;
  for (const fault of faults) {
    const { status, stdout } = run(fault, `^${literally(fault.test)}$`);
    const failed = stdout.split('\n').filter((line) => line.startsWith('not ok '));
    const isCaught = status !== 0 && failed.some((line) => line.endsWith(fault.test));
    caught += isCaught ? 1 : 0;
    console.log(`${isCaught ? 'caught' : 'MISSED'}: ${fault.what} (${fault.test})`);
    if (!isCaught) console.log(stdout);
  }
  console.log(`${caught} of ${faults.length} planted faults were caught`);
  process.exitCode = caught === faults.length ? 0 : 1;
}

/** Runs the tests whose names match, in a copy of the sample at the same place of a project. */
function runCopy(home, fault, pattern, testMsMax, addTo) {
  const project = mkdtempSync(join(tmpdir(), 'trackway-planted-'));
  const folder = join(project, 'examples', basename(home));
  try {
    cpSync(home, folder, { recursive: true, filter: (path) => basename(path) !== 'node_modules' });
    symlinkSync(join(home, 'node_modules'), join(folder, 'node_modules'));
    symlinkSync(join(dirname(home), 'test'), join(project, 'examples', 'test'));
    addTo(project);
    if (fault) plant(fault, folder);
    const flags = ['--test', '--test-reporter=tap', `--test-name-pattern=${pattern}`];
    const files = readdirSync(join(folder, 'test')).filter((file) => file.endsWith('.test.js'));
    const paths = files.map((file) => `test/${file}`);
    return spawnSync(process.execPath, [...flags, ...paths], { cwd: folder, encoding: 'utf8', timeout: testMsMax });
  } finally {
    rmSync(project, { recursive: true });
  }
}

function plant({ file, from, to }, folder) {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${file} does not have this exactly once:\n${from}`);
  writeFileSync(path, text.replace(from, () => to));
}

/** A name as a pattern that matches it alone. */
function literally(name) {
  return name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
