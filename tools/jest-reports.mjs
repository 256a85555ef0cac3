// Global setup of every jest run: an empty place for its report (jest does not make the folder), without the notices of an earlier run.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** @param {unknown} _globalConfig @param {{ rootDir: string }} projectConfig */
export default function setup(_globalConfig, { rootDir }) {
  const reports = join(rootDir, 'reports');
  mkdirSync(reports, { recursive: true });
  rmSync(join(reports, 'notices.txt'), { force: true });
}
