import { describe, expect, test } from '@jest/globals';
import { createPair, PreparedMessage, type Extension } from '../src/index.js';

/** Marks what it has seen with its name, keeps what it made where all can have it, and counts. */
function marking(name: string, rsv: 1 | 2 | 4): { extension: () => Extension; made: string[] } {
  const made: string[] = [];
  const extension = (): Extension => ({
    name,
    rsv,
    encode(payload, { prepared, compress }, done) {
      if (compress === false) return done(null, payload, 0);
      const known = prepared?.get(name) as Uint8Array | undefined;
      if (known) return done(null, known, rsv);
      const encoded = Buffer.concat([payload, Buffer.from(name)]);
      made.push(prepared ? 'shared' : 'own');
      prepared?.set(name, encoded);
      done(null, encoded, rsv);
    },
    decode(slice, { last }, output, done) {
      output(last ? slice.subarray(0, -name.length) : slice);
      done(null);
    },
  });
  return { extension, made };
}

const received = (socket: ReturnType<typeof createPair>['client'], count: number): Promise<[string, boolean][]> =>
  new Promise((resolve) => {
    const messages: [string, boolean][] = [];
    socket.on('message', (data, isBinary) => {
      if (messages.push([(data as Buffer).toString(), isBinary]) === count) resolve(messages);
    });
  });

test.each([
  { data: 'tëxt', options: {}, isBinary: false },
  { data: 'text', options: { binary: true }, isBinary: true },
  { data: Buffer.from('bytes'), options: {}, isBinary: true },
  { data: Buffer.from('bytes'), options: { binary: false }, isBinary: false },
  { data: new Uint8Array(Buffer.from('xx')).buffer, options: {}, isBinary: true },
  { data: 17, options: {}, isBinary: false },
])('$data arrives as it was, binary: $isBinary, at all that it is sent to', async ({ data, options, isBinary }) => {
  const message = new PreparedMessage(data, options);
  const text = data instanceof ArrayBuffer ? 'xx' : String(data);
  for (const { client, server } of [createPair(), createPair()]) {
    const arrived = received(client, 1);
    await new Promise<void>((resolve, reject) => {
      expect(server.send(message, (error) => (error ? reject(error) : resolve()))).toBe(true);
    });
    expect(await arrived).toEqual([[text, isBinary]]);
    client.terminate();
  }
});

test('it has its own bytes: what was given may change at once', async () => {
  const { client, server } = createPair();
  const bytes = Buffer.from('before');
  const message = new PreparedMessage(bytes);
  bytes.write('after!');
  server.send(message);
  expect(await received(client, 1)).toEqual([['before', true]]);
  client.terminate();
});

test('what cannot be sent cannot be prepared', () => {
  expect(() => new PreparedMessage({ length: 1 } as never)).toThrow(TypeError);
  expect(() => new PreparedMessage((() => 1) as never)).toThrow(TypeError);
});

test('a copy of the class of another realm is known, other objects are none', () => {
  expect(new PreparedMessage('x')).toBeInstanceOf(PreparedMessage);
  expect({ payload: Buffer.alloc(1) }).not.toBeInstanceOf(PreparedMessage);
  expect(Object.create(PreparedMessage.prototype)).toBeInstanceOf(PreparedMessage);
});

test('too late: the callback gets an error, and the bytes count as unsent', async () => {
  const { client, server } = createPair();
  server.terminate();
  await server.closed;
  const error = await new Promise<Error | undefined>((resolve) => {
    expect(server.send(new PreparedMessage('four'), resolve)).toBe(false);
  });
  expect(error?.message).toContain('not open');
  expect(server.bufferedAmount).toBe(4);
  client.terminate();
});

describe('on a connection in the middle of a message in fragments', () => {
  test('it waits for the end, and those behind it stay behind it', async () => {
    const { client, server } = createPair();
    const arrived = received(client, 4);
    server.send('half a message, ', { fin: false });
    server.send(new PreparedMessage('first'));
    server.send(new PreparedMessage('second'));
    expect(server.bufferedAmount).toBeGreaterThanOrEqual('first'.length + 'second'.length);
    server.send('other half');
    server.send('last');
    expect((await arrived).map(([text]) => text)).toEqual(['half a message, other half', 'first', 'second', 'last']);
    client.terminate();
  });

  test('a connection that goes meanwhile settles its callback', async () => {
    const { client, server } = createPair();
    server.send('half', { fin: false });
    const settled = new Promise<Error | undefined>((resolve) => server.send(new PreparedMessage('never'), resolve));
    server.terminate();
    expect((await settled)?.message).toContain('closed before');
    await server.closed;
    expect(server.bufferedAmount).toBe(0);
    client.terminate();
  });
});

describe('with extensions', () => {
  test('the first one makes it once for all connections; one behind it, for each', async () => {
    const [first, second] = [marking('one', 4), marking('two', 2)];
    const pairs = Array.from({ length: 3 }, () =>
      createPair({ extensions: () => [first.extension(), second.extension()] }),
    );
    const message = new PreparedMessage('text');
    for (const { client, server } of pairs) {
      const arrived = received(client, 2);
      server.send(message);
      server.send('own');
      expect((await arrived).map(([text]) => text)).toEqual(['text', 'own']);
      client.terminate();
    }
    expect(first.made).toEqual(['shared', 'own', 'own', 'own']);
    expect(second.made).toEqual(Array.from({ length: 6 }, () => 'own'));
  });

  test('compress: false is told to them', async () => {
    const { extension, made } = marking('one', 4);
    const { client, server } = createPair({ extensions: () => [extension()] });
    const arrived = received(client, 1);
    server.send(new PreparedMessage('text', { compress: false }));
    expect(await arrived).toEqual([['text', false]]);
    expect(made).toEqual([]);
    client.terminate();
  });
});
