// Writes docs/benchmarks.md and its chart anew from the runs in results/, without measuring: after a change of a target or of the page.
import path from 'node:path';
import { writeReport } from './lib/report.mjs';

for (const file of writeReport()) console.log(path.relative(process.cwd(), file));
