// Finishes the build of the package in the current directory: marks dist/cjs as CommonJS, because its package.json says
// "type": "module", and removes what was built from sources that are gone, because tsc leaves it there.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n');

for (const form of ['dist/esm', 'dist/cjs']) {
  for (const entry of readdirSync(form, { recursive: true, withFileTypes: true })) {
    if (!/\.(js|js\.map|d\.ts)$/.test(entry.name)) continue;
    const built = join(entry.parentPath, entry.name);
    const source = join('src', relative(form, built)).replace(/\.(js|js\.map|d\.ts)$/, '.ts');
    if (!existsSync(source)) rmSync(built);
  }
}
