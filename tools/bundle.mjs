// Builds the JavaScript of the package in the current directory, whose declarations tsc has written: one module for each entry of its package.json, and one
// for what entries share, as ESM and as CommonJS. See docs/decisions/toolchain.md.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';

const ESM = 'dist/esm';
const CJS = 'dist/cjs';
/** @type {import('esbuild').BuildOptions} */
const COMMON = { target: 'node20', platform: 'node', sourcemap: true, logLevel: 'warning', legalComments: 'none' };

/** @param {string} form @param {(name: string) => boolean} isWanted */
const filesOf = (form, isWanted) =>
  readdirSync(form, { recursive: true, withFileTypes: true })
    .filter(({ name }) => isWanted(name))
    .map(({ parentPath, name }) => join(parentPath, name));

/**
 * A class that mentions itself becomes `var Name = class _Name` or `class Name2`, which its users would read in what they log.
 * @param {string} text
 */
function withClassNames(text) {
  const classes = [...text.matchAll(/^var (\w+) = class (?!extends\b)(\w+) /gm)];
  const names = new Map(classes.map(([, name, itself]) => [itself, name]));
  return text.replaceAll(/\w+/g, (word) => names.get(word) ?? word);
}

/**
 * A module that exports something as 'module.exports' is that for require(), as it is for Node's require() of an ES module.
 * @param {string} text
 */
const asItself = (text) =>
  text.includes('"module.exports": () =>')
    ? text.replace(/^(\/\/# sourceMappingURL)/m, "module.exports = module.exports['module.exports'];\n$1")
    : text;

/** @param {import('esbuild').BuildOptions} options */
async function write(options) {
  const { outputFiles } = await build({ ...COMMON, ...options, write: false });
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, path.endsWith('.js') ? asItself(withClassNames(text)) : text);
  }
}

/** @typedef {{ default: string }} Target */
/** @type {{ exports: Record<string, string | { import: Target, browser?: { default: Target } }> }} */
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
const listed = Object.values(exports).flatMap((entry) =>
  typeof entry === 'string' ? [] : [entry.import, entry.browser?.default ?? []].flat(),
);
const sources = listed.map((target) => join('src', relative(ESM, target.default)).replace(/\.js$/, '.ts'));
const entryPoints = [...new Set(sources)]; // two names of one entry

for (const form of [ESM, CJS]) {
  for (const file of filesOf(form, (name) => /\.js(\.map)?$/.test(name))) rmSync(file);
  // Declarations of sources that are gone: tsc leaves them.
  for (const file of filesOf(form, (name) => name.endsWith('.d.ts'))) {
    if (!existsSync(join('src', relative(form, file)).replace(/\.d\.ts$/, '.ts'))) rmSync(file);
  }
}

await write({
  entryPoints,
  outbase: 'src',
  outdir: ESM,
  format: 'esm',
  bundle: true,
  splitting: true,
  packages: 'external',
  chunkNames: 'shared-[hash]',
});
await write({
  entryPoints: filesOf(ESM, (name) => name.endsWith('.js')),
  outbase: ESM,
  outdir: CJS,
  format: 'cjs',
});
// So that `import name = require()` is typed: the ES form's declarations cannot say it.
for (const file of filesOf(CJS, (name) => name.endsWith('.d.ts'))) {
  const named = /^export \{.*?(\w+) as 'module\.exports'.*\};$/m.exec(readFileSync(file, 'utf8'))?.[1];
  if (named === undefined) continue;
  const imported = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('import ') && new RegExp(`\\b${named}\\b`).test(line));
  writeFileSync(file, `${imported.find((line) => line.includes(`{ ${named} }`))}\nexport = ${named};\n`);
}
// One set of types for both forms, as both are one module at run time: a class declared twice would be two types to who uses it from an ES module and meets
// it in the declarations of a CommonJS package.
for (const entry of entryPoints) {
  const file = join(ESM, relative('src', entry)).replace(/\.ts$/, '.d.ts');
  const folder = dirname(file);
  const inCommonJs = readFileSync(file, 'utf8').replaceAll(/(?<= from ')\.[^']+/g, (path) =>
    relative(folder, join(CJS, relative(ESM, join(folder, path)))),
  );
  writeFileSync(file.replace(/\.d\.ts$/, '.d.mts'), inCommonJs);
}
writeFileSync(join(CJS, 'package.json'), '{ "type": "commonjs" }\n'); // the package's own says "module"
