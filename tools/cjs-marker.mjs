// Marks dist/cjs of the current package as CommonJS: its package.json says "type": "module".
import { writeFileSync } from 'node:fs';

writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n');
