import { expect } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { advisory } from './advisory.js';
import { launchClient, launchServer } from './victims.js';

const packages = new URL('../../../packages/', import.meta.url);

/** Every line of code that is published, comments left out. */
function* lines(): Iterable<{ place: string; code: string }> {
  for (const name of readdirSync(packages)) {
    const folder = new URL(`${name}/src/`, packages);
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const text = readFileSync(new URL(file, folder), 'utf8').replace(/\/\*.*?\*\//gs, (comment) =>
        comment.replace(/[^\n]/g, ''),
      );
      let number = 0;
      for (const line of text.split('\n')) {
        number++;
        const code = line.replace(/(^|\s)\/\/.*$/, '');
        if (code.trim() !== '') yield { place: `${name}/src/${file}:${number}`, code };
      }
    }
  }
}

const found = (pattern: RegExp): string[] =>
  [...lines()].filter(({ code }) => pattern.test(code)).map(({ place, code }) => `${place} ${code.trim()}`);

advisory('guessable-ids', (check) => {
  check('the sources are there', () => {
    expect([...lines()].length).toBeGreaterThan(5000);
    expect(found(/randomFillSync|getRandomValues|randomBytes/).length).toBeGreaterThan(0);
  });

  check('B-16 no Math.random in any source', () => {
    expect(found(/Math\s*(\.|\[)\s*['"]?random|\{[^}]*\brandom\b[^}]*\}\s*=\s*Math/)).toEqual([]);
  });

  check('B-17 no `new Buffer`', () => {
    expect(found(/new Buffer\(|\bSlowBuffer\b/)).toEqual([]);
  });

  check('no `eval`, no object as a table of what a peer names: `JSON.parse`', () => {
    expect(found(/\beval\(|new Function\(/)).toEqual([]);
    // `Incoming.json()` is what a program asks for.
    expect(found(/\bJSON\.parse\(/).filter((line) => !line.startsWith('connection/src/incoming.ts'))).toEqual([]);
  });

  check('B-16 a server and a client get on without Math.random', async () => {
    const flags = ['--import', `data:text/javascript,Math.random = () => { throw new Error('Math.random') }`];
    const server = await launchServer(
      { options: { perMessageDeflate: true, maxLifetime: 60_000, heartbeat: { interval: 1000, timeout: 60_000 } } },
      flags,
    );
    const client = await launchClient(flags);
    const id = await client.connect({ url: `ws://127.0.0.1:${server.port}/` });
    expect(await client.ask('opened', id)).toBe(true);
    await client.ask('send', { id, text: 'x'.repeat(5000) });
    await client.ask('close', { id, code: 1000 });
    expect(await client.ended(id)).toMatchObject({ code: 1000, messages: ['x'.repeat(100)] });
  });
});
