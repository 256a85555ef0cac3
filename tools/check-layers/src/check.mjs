import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import ts from 'typescript';
import { foreignGlobals } from './globals.mjs';
import { importsOf } from './imports.mjs';
import { linesOf } from './lines.mjs';
import { checkManifest } from './manifest.mjs';
import { LAYERS } from './table.mjs';

/** @typedef {import('./table.mjs').Part} Part */
/** @typedef {import('./imports.mjs').Import} Import */
/** @typedef {import('./violation.mjs').Violation} Violation */

/** @type {ts.CompilerOptions} */
const COMPILER_OPTIONS = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  types: [],
  noResolve: true,
  allowJs: true,
};
const COMPILER_HOST = hostWithParsedLib();

/**
 * Checks every package under `root`/packages against the table: imports, globals of portable parts, package.json.
 * @param {string} root
 * @param {typeof LAYERS} [layers]
 * @returns {Violation[]}
 */
export function checkWorkspace(root, layers = LAYERS) {
  const folder = join(root, 'packages');
  const violations = readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((directory) => existsSync(join(directory, 'package.json')))
    .flatMap((directory) => checkPackage(directory, layers));
  return violations.map((violation) => ({ ...violation, file: relative(root, violation.file).split(sep).join('/') }));
}

/**
 * @param {string} directory
 * @param {typeof LAYERS} layers
 * @returns {Violation[]}
 */
function checkPackage(directory, layers) {
  const file = join(directory, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  const parts = layers[manifest.name];
  if (parts === undefined)
    return [{ file, message: `${manifest.name} is not in the table of layers (tools/check-layers/src/table.mjs)` }];

  const src = join(directory, 'src');
  const program = ts.createProgram(sourceFiles(src), COMPILER_OPTIONS, COMPILER_HOST);
  const files = program.getSourceFiles().filter(({ fileName }) => !relative(src, fileName).startsWith('..'));

  /** @type {Violation[]} */
  const violations = [];
  /** @type {Set<string>} */
  const imported = new Set();
  for (const sourceFile of files) {
    const part = partOf(parts, relative(src, sourceFile.fileName));
    if (part === undefined) {
      violations.push({
        file: sourceFile.fileName,
        message: `belongs to no entry of ${manifest.name} in the table of layers`,
      });
      continue;
    }
    for (const found of importsOf(sourceFile)) {
      if (found.specifier?.startsWith('@ws/')) imported.add(packageOf(found.specifier));
      const message = checkImport(found, part, parts, src, sourceFile.fileName);
      if (message !== undefined) violations.push({ file: sourceFile.fileName, line: found.line, message });
    }
  }
  for (const part of parts.filter(({ mostLines }) => mostLines !== undefined)) {
    const own = files.filter(({ fileName }) => partOf(parts, relative(src, fileName)) === part);
    const lines = own.reduce((sum, sourceFile) => sum + linesOf(sourceFile), 0);
    if (lines > (part.mostLines ?? 0))
      violations.push({ file: join(src, part.source), message: `${lines} lines of code, at most ${part.mostLines}` });
  }
  const portable = files.filter(({ fileName }) => partOf(parts, relative(src, fileName))?.builtins === 'none');
  violations.push(...foreignGlobals(portable, program));
  violations.push(...checkManifest(manifest, parts, imported).map((message) => ({ file, message })));
  return violations;
}

/**
 * @param {Import} found
 * @param {Part} part         that the importing file belongs to
 * @param {readonly Part[]} parts  of its package
 * @param {string} src
 * @param {string} fileName
 * @returns {string | undefined} what is wrong
 */
function checkImport({ specifier, typeOnly }, part, parts, src, fileName) {
  if (specifier === undefined) return 'imports something computed, which no check can follow';
  if (specifier.startsWith('.')) {
    const target = relative(src, join(dirname(fileName), specifier));
    if (target.startsWith('..')) return `'${specifier}' leaves the package's src`;
    const targetPart = partOf(parts, target.replace(/\.js$/, '.ts'));
    if (part.builtins === 'none' && targetPart?.builtins !== 'none') {
      return `'${specifier}' is not portable, but ${describe(part)} is`;
    }
    return undefined;
  }
  if (specifier === 'node')
    return part.builtins === 'none' ? `${describe(part)} may not use Node's types: it is portable` : undefined;
  if (isBuiltin(specifier) || specifier.startsWith('node:')) return checkBuiltin(specifier, part);
  if (part.imports.includes(specifier)) return undefined;
  if (part.types.includes(specifier))
    return typeOnly ? undefined : `may import only types of '${specifier}': use \`import type\``;
  if (!specifier.startsWith('@ws/')) return `'${specifier}' is a third-party package`;
  return `${describe(part)} may not import '${specifier}'${allowed([...part.imports, ...part.types])}`;
}

/**
 * @param {string} specifier
 * @param {Part} part
 */
function checkBuiltin(specifier, part) {
  const { builtins } = part;
  const name = /** @type {string} */ (specifier.replace(/^node:/, '').split('/')[0]);
  const message = `${describe(part)} may not import '${specifier}'`;
  if (builtins === 'none') return `${message}: it is portable`;
  if (!specifier.startsWith('node:')) return `'${specifier}' is written 'node:${specifier}'`;
  if (builtins === 'any') return undefined;
  return builtins.includes(name) ? undefined : `${message}${allowed(builtins.map((builtin) => `node:${builtin}`))}`;
}

/**
 * The first part whose source holds the file; a path from src.
 * @param {readonly Part[]} parts
 * @param {string} path
 */
function partOf(parts, path) {
  const normal = path.split(sep).join('/');
  return parts.find(
    ({ source }) => source === '' || normal === source || (source.endsWith('/') && normal.startsWith(source)),
  );
}

/** @param {string} specifier */
function packageOf(specifier) {
  return specifier.split('/').slice(0, 2).join('/');
}

/** @param {Part} part */
function describe({ entry }) {
  return `entry "${entry}"`;
}

/** @param {readonly string[]} names */
function allowed(names) {
  return names.length === 0 ? ' (it may import nothing)' : ` (it may import ${names.join(', ')})`;
}

/** @param {string} directory @returns {string[]} */
function sourceFiles(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]sx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The compiler's own lib is parsed once, not once a package. */
function hostWithParsedLib() {
  const host = ts.createCompilerHost(COMPILER_OPTIONS);
  const lib = dirname(ts.getDefaultLibFilePath(COMPILER_OPTIONS));
  /** @type {Map<string, ts.SourceFile | undefined>} */
  const parsed = new Map();
  /** @type {ts.CompilerHost['getSourceFile']} */
  const getSourceFile = (fileName, ...rest) => {
    if (dirname(fileName) !== lib) return host.getSourceFile(fileName, ...rest);
    if (!parsed.has(fileName)) parsed.set(fileName, host.getSourceFile(fileName, ...rest));
    return parsed.get(fileName);
  };
  return { ...host, getSourceFile };
}
