/** @typedef {import('./table.mjs').Part} Part */

/**
 * What an installed package brings along must be what the table allows and what its sources import: nothing more, nothing less.
 * @param {Record<string, unknown>} manifest
 * @param {readonly Part[]} parts
 * @param {ReadonlySet<string>} imported  the @ws packages that src names
 * @returns {string[]}
 */
export function checkManifest(manifest, parts, imported) {
  const allowed = new Set(
    parts
      .flatMap(({ imports, types }) => [...imports, ...types])
      .map((entry) => entry.split('/').slice(0, 2).join('/')),
  );
  const messages = [];
  for (const field of ['dependencies', 'peerDependencies', 'optionalDependencies']) {
    for (const name of Object.keys(manifest[field] ?? {})) {
      if (!name.startsWith('@ws/')) messages.push(`${field}: ${name} is a third-party package`);
      else if (!allowed.has(name)) messages.push(`${field}: ${name} is not below ${String(manifest['name'])}`);
      else if (!imported.has(name)) messages.push(`${field}: ${name} is not imported by src`);
    }
  }
  for (const field of ['bundledDependencies', 'bundleDependencies']) {
    if (manifest[field] !== undefined) messages.push(`${field}: nothing is bundled`);
  }
  const declared = Object.keys(manifest['dependencies'] ?? {});
  for (const name of imported) {
    if (!declared.includes(name)) messages.push(`${name} is imported by src, but is not among the dependencies`);
  }
  const entries = parts.map(({ entry }) => entry);
  for (const entry of Object.keys(manifest['exports'] ?? {})) {
    if (entry !== './package.json' && !entries.includes(entry))
      messages.push(`exports: entry "${entry}" has no row in the table of layers`);
  }
  return messages;
}
