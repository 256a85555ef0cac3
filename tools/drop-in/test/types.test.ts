import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { SIDES, type Side } from '../install.mjs';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Compiles types/ as a program of that install, with all declarations that it meets. */
async function compile(side: Side): Promise<{ errors: string[]; declares: string[] }> {
  const folder = here(`../${side}/reports/types`); // inside the install, so that it resolves what is there
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(here('../types'), folder, { recursive: true });
  const config = {
    extends: here('../../../tsconfig.base.json'),
    compilerOptions: {
      types: ['node'],
      typeRoots: [here('../../../node_modules/@types')],
      lib: ['es2023', 'dom'],
      composite: false,
      declaration: false,
      sourceMap: false,
      inlineSources: false,
      exactOptionalPropertyTypes: false, // graphql-ws and mqtt are not made for it
      verbatimModuleSyntax: false,
      erasableSyntaxOnly: false, // for `import = require()`
      noEmit: true,
      skipLibCheck: false,
      listFiles: true,
    },
    include: ['*'],
  };
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(config));
  const tsc = here('../../../node_modules/typescript7/bin/tsc');
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [tsc, '-p', folder], { maxBuffer: 1 << 26 }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
  const lines = output.split('\n').filter((line) => line !== '');
  return {
    errors: lines.filter((line) => !line.startsWith('/')),
    declares: lines.flatMap(
      (line) => /\/(@types\/ws|packages\/compat\/dist\/(?:esm|cjs)\/ws)\/index\.d\.m?ts$/.exec(line)?.[1] ?? [],
    ),
  };
}

test.each(SIDES)('%s: programs in TypeScript compile, the declarations of what they use included', async (side) => {
  const { errors, declares } = await compile(side);
  expect(errors).toEqual([]);
  // engine.io brings @types/ws along, but asks for 'ws'; who asks for it by name alone gets what the install has in its place.
  const theirs =
    side === 'with-ws' ? ['@types/ws', '@types/ws'] : ['packages/compat/dist/cjs/ws', 'packages/compat/dist/esm/ws'];
  expect(declares.toSorted()).toEqual(theirs);
});
