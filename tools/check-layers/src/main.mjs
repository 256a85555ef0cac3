// Usage: node tools/check-layers/src/main.mjs [workspace root]
import { fileURLToPath } from 'node:url';
import { checkWorkspace } from './check.mjs';
import { format } from './violation.mjs';

const [root = fileURLToPath(new URL('../../..', import.meta.url))] = process.argv.slice(2);
const violations = checkWorkspace(root);
for (const violation of violations) console.error(format(violation));
console.log(
  violations.length === 0 ? 'Every import points down.' : `${violations.length} violations of the layer table`,
);
process.exitCode = violations.length === 0 ? 0 : 1;
