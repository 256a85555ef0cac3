import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './pack.mjs';
import { run } from './run.mjs';

/** @typedef {import('./pack.mjs').Packed} Packed */

const CONSUMERS = fileURLToPath(new URL('../consumers/', import.meta.url));

/** Entries whose types must do without Node's. */
const PORTABLE = ['@ws/frame', '@ws/handshake', '@ws/deflate', '@ws/connection/protocol'];

/**
 * Installs the package with nothing but its layers below, in an empty folder and without a registry, and uses it as its users do.
 * @param {Packed} packed
 * @param {ReadonlyMap<string, Packed>} packages
 * @param {string} directory
 * @returns {Promise<string[]>}
 */
export async function checkInstalled(packed, packages, directory) {
  const project = join(directory, packed.name.replace('/', '-'));
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');

  const closure = closureOf(packed, packages);
  const tarballs = closure.map(({ tarball }) => tarball);
  const options = [
    '--offline',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--no-update-notifier',
    '--loglevel=error',
  ];
  const env = { ...process.env, npm_config_cache: join(directory, 'npm-cache') };
  const installed = await run('npm', ['install', ...options, ...tarballs], { cwd: project, env });
  if (!installed.passed) return [`npm install failed:\n${installed.output}`];

  const problems = checkNodeModules(
    project,
    closure.map(({ name }) => name),
  );
  for (const entry of packed.entries) {
    const specifier = `${packed.name}${entry.slice(1)}`;
    problems.push(...(await checkLoading(project, specifier)), ...(await checkTypes(project, specifier)));
  }
  return problems;
}

/**
 * The package and everything below it.
 * @param {Packed} packed
 * @param {ReadonlyMap<string, Packed>} packages
 * @returns {Packed[]}
 */
function closureOf(packed, packages) {
  const below = packed.dependencies.flatMap((name) => {
    const dependency = packages.get(name);
    if (dependency === undefined) throw new Error(`${packed.name} depends on ${name}, which is not in packages/`);
    return closureOf(dependency, packages);
  });
  return [...new Set([packed, ...below])];
}

/** @param {string} project @param {readonly string[]} expected */
function checkNodeModules(project, expected) {
  const folder = join(project, 'node_modules');
  const found = readdirSync(folder)
    .filter((name) => name !== '.package-lock.json')
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(folder, name)).map((inner) => `${name}/${inner}`) : [name],
    );
  const nested = found
    .filter((name) => existsSync(join(folder, name, 'node_modules')))
    .map((name) => `${name}/node_modules`);
  return [
    ...[...found, ...nested].filter((name) => !expected.includes(name)).map((name) => `installing it brings ${name}`),
    ...expected.filter((name) => !found.includes(name)).map((name) => `${name} was not installed`),
    ...found.flatMap((name) => checkSourceMaps(join(folder, name))),
  ];
}

/** A source map has to bring its sources along: src is not in the tarball. @param {string} directory */
function checkSourceMaps(directory) {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.js.map'))
    .filter((path) => {
      const { sources, sourcesContent } = JSON.parse(readFileSync(join(directory, path), 'utf8'));
      return sources.length !== (sourcesContent?.length ?? 0);
    })
    .map((path) => `${path} holds no sources`);
}

/**
 * `import` and `require` give the same values; where Node cannot require ES modules, the CommonJS form has the same names. Classes know their names: bundling
 * may change them. A module that is a class, or a function, for `require` has its values as that one's members; for `import` it is the default.
 */
const LOADING = `
  const specifier = process.argv[2];
  const required = require(specifier);
  for (const [name, value] of Object.entries(required)) {
    const isClass = typeof value === 'function' && String(value).startsWith('class');
    if (isClass && value.name !== name && required[value.name] !== value) throw new Error(name + ' is called ' + value.name);
  }
  if (process.argv[3] === 'names') return console.log(JSON.stringify(Object.keys(required).sort()));
  import(specifier).then((imported) => {
    const isItself = imported['module.exports'] === required && imported.default === required;
    const named = Object.keys(imported).filter((name) => !isItself || !['default', 'module.exports'].includes(name));
    const names = isItself ? Object.keys(required) : named;
    if (names.length === 0) throw new Error('it exports nothing');
    for (const name of isItself ? named : new Set([...names, ...Object.keys(required)])) {
      if (name === '__esModule') continue; // Node's own mark of a required module that has a default export
      if (imported[name] !== required[name]) throw new Error(name + ' is not the same by import and by require');
    }
    console.log(JSON.stringify(names.sort()));
  });
`;

/** @param {string} project @param {string} specifier */
async function checkLoading(project, specifier) {
  writeFileSync(join(project, 'load.cjs'), LOADING);
  const both = await run(process.execPath, ['--disable-warning=ExperimentalWarning', 'load.cjs', specifier], {
    cwd: project,
  });
  if (!both.passed) return [`${specifier} does not load:\n${both.output}`];
  const cjs = await run(process.execPath, ['--no-experimental-require-module', 'load.cjs', specifier, 'names'], {
    cwd: project,
  });
  if (!cjs.passed) return [`${specifier} does not load as CommonJS:\n${cjs.output}`];
  return cjs.stdout === both.stdout
    ? []
    : [`${specifier} exports other names as CommonJS: ${cjs.stdout} instead of ${both.stdout}`];
}

/**
 * One small program, compiled as an ES module, as CommonJS and for a bundler, with library checks on; the first two also run. Beside it there may be another
 * one, for `import name = require()`.
 * @param {string} project
 * @param {string} specifier
 */
async function checkTypes(project, specifier) {
  const name = specifier.replace('@ws/', '').replace('/', '-');
  const program = join(CONSUMERS, `${name}.ts`);
  if (!existsSync(program)) return [`tools/check-packages/consumers has no ${name}.ts`];
  for (const extension of ['mts', 'cts', 'ts']) copyFileSync(program, join(project, `${name}.${extension}`));
  const required = `${name}-require`;
  const isRequired = existsSync(join(CONSUMERS, `${required}.cts`));
  if (isRequired) copyFileSync(join(CONSUMERS, `${required}.cts`), join(project, `${required}.cts`));
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    target: 'es2022',
    lib: ['es2023'],
    types: PORTABLE.includes(specifier) ? [] : ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
    outDir: `out-${name}`,
  };
  const node = { ...compilerOptions, module: 'nodenext' };
  const bundler = { ...compilerOptions, module: 'esnext', moduleResolution: 'bundler', noEmit: true };
  const problems = [
    ...(await compile(project, `${name}.node`, {
      compilerOptions: node,
      files: [`${name}.mts`, `${name}.cts`, ...(isRequired ? [`${required}.cts`] : [])],
    })),
    ...(await compile(project, `${name}.bundler`, { compilerOptions: bundler, files: [`${name}.ts`] })),
  ];
  if (problems.length > 0) return problems;
  for (const file of [`${name}.mjs`, `${name}.cjs`, ...(isRequired ? [`${required}.cjs`] : [])]) {
    const { passed, output } = await run(process.execPath, [join(`out-${name}`, file)], { cwd: project });
    if (!passed) problems.push(`consumers/${name} fails as ${file}:\n${output}`);
  }
  return problems;
}

/** @param {string} project @param {string} name @param {object} config */
async function compile(project, name, config) {
  writeFileSync(join(project, `tsconfig.${name}.json`), JSON.stringify(config));
  const { passed, output } = await run(join(root, 'node_modules', '.bin', 'tsc'), ['-p', `tsconfig.${name}.json`], {
    cwd: project,
  });
  return passed ? [] : [`types (${name}):\n${output}`];
}
