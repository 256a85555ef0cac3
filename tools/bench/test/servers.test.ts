// Every server that is measured gives back what it gets, so that a failure in the benchmark is not that of a script here.
import { describe, expect, test } from '@jest/globals';
import { makeCertificate } from '@ws/testing';
import { findBun } from '../lib/bun.mjs';
import { compileLoad, missingForLoad } from '../lib/compile.mjs';
import { type Setup, startMeasured } from '../lib/process.mjs';
import { ECHOING, VARIANTS, variantOf } from '../lib/variants.mjs';
import { describeLoad, run, testTls } from './generator.js';

const bun = findBun();
const SETUP: Setup = {
  load: missingForLoad() === undefined ? compileLoad() : '',
  cores: undefined,
  malloc: false,
  profile: undefined,
  bun,
};
const SERVERS = ECHOING.filter((name) => variantOf(name).baseline !== true);

async function serving(name: string, task: object, use: (port: number) => Promise<void>) {
  const { library } = variantOf(name);
  const server = await startMeasured(`servers/${library}.mjs`, [JSON.stringify(task)], SETUP, variantOf(name));
  try {
    await use(server.port);
    const { cpu, rss, heapUsed } = await server.usage('collect');
    expect(Math.min(cpu, rss, heapUsed)).toBeGreaterThan(0);
  } finally {
    await server.stop();
  }
}

test('there is no other', () => {
  const libraries = new Set(Object.values(VARIANTS).map(({ library }) => library));
  expect([...libraries].filter((library) => library !== 'undici').toSorted()).toEqual(
    [...new Set(SERVERS.map((name) => variantOf(name).library))].toSorted(),
  );
});

describeLoad('servers', () => {
  describe.each(SERVERS)('%s', (name) => {
    const testHere = name === 'bun' && bun === undefined ? test.skip : test;
    const raw = name === 'net' ? { raw: true as const } : {};

    testHere('gives back binary messages and text', async () => {
      await serving(name, { perMessageDeflate: false }, async (port) => {
        for (const options of [
          { size: 16, connections: 4, 'in-flight': 16, messages: 500 },
          { size: 70_000, connections: 2, 'in-flight': 1, messages: 20 },
          { size: 1024, 'in-flight': 4, messages: 100, mixed: true as const },
        ]) {
          const { result, complaint } = await run('echo', { ...options, ...raw, port });
          expect(complaint).toBe('');
          expect(result).toMatchObject({ messages: options.messages, verified: options.messages });
        }
      });
    });
  });

  testTls.each(['ours', 'ws-native', 'ws', 'net'])('%s through TLS', async (name) => {
    const raw = name === 'net' ? { raw: true as const } : {};
    await serving(name, { tls: makeCertificate(), perMessageDeflate: false }, async (port) => {
      const { result, complaint } = await run('echo', {
        port,
        tls: true,
        size: 1024,
        'in-flight': 16,
        messages: 500,
        ...raw,
      });
      expect(complaint).toBe('');
      expect(result).toMatchObject({ messages: 500, verified: 500 });
    });
  });

  test.each([
    ['ours', false],
    ['ours', true],
    ['ws', false],
  ])('%s broadcasts, in a loop: %s', async (name, loop) => {
    await serving(name, { broadcast: true, loop, perMessageDeflate: false }, async (port) => {
      const { result, complaint } = await run('broadcast', {
        port,
        json: true,
        each: true,
        size: 64,
        connections: 20,
        'in-flight': 8,
        messages: 50,
      });
      expect(complaint).toBe('');
      expect(result).toMatchObject({ messages: 1000, verified: 1000 });
    });
  });
});
