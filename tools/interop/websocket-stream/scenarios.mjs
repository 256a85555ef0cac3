// What a program sees of a WebSocketStream, as lines: run with Chromium's in a page, and with ours in Node.

/**
 * @typedef {{ WebSocketStream: any, WebSocketError: any, url(path: string): string, say(line: string): void }} World
 * @typedef {(world: World) => Promise<void> | void} Scenario
 */

/** @param {any} value */
function show(value) {
  if (typeof value === 'string') return JSON.stringify(value);
  const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : value; // Chromium's are ArrayBuffers, the draft's Uint8Arrays
  if (bytes instanceof Uint8Array) return `${bytes.join()} of ${bytes.buffer.byteLength}`;
  if (typeof value !== 'object' || value === null) return String(value);
  const { name, closeCode, reason, code } = value;
  if (typeof name !== 'string') return JSON.stringify(value);
  const isDom = value instanceof DOMException;
  return closeCode === undefined
    ? `${name} ${isDom ? `DOM ${code}` : ''}`
    : `${name} ${isDom ? `DOM ${code}` : ''} ${closeCode} ${JSON.stringify(reason)}`;
}

/**
 * @param {World} world
 * @param {string} name
 * @param {PromiseLike<any>} promise
 */
const settle = ({ say }, name, promise) =>
  promise.then(
    (value) => say(`${name} resolves ${show(value)}`),
    (error) => say(`${name} rejects ${show(error)}`),
  );

/**
 * @param {World} world
 * @param {string} name
 * @param {() => unknown} call
 */
function attempt({ say }, name, call) {
  try {
    say(`${name} gives ${show(call())}`);
  } catch (error) {
    say(`${name} throws ${show(error)}`);
  }
}

/** @param {any} chunk */
const read = ({ done, value }) => (done ? 'done' : show(value));

/** @param {any} promise */
const quiet = (promise) => promise.catch(() => undefined);

/**
 * An open one, whose `closed` and writer's and reader's `closed` are told as they settle.
 * @param {World} world
 * @param {string} path
 * @param {object} [options]
 */
async function opened(world, path, options) {
  const stream = new world.WebSocketStream(world.url(path), options);
  const { readable, writable, ...rest } = await stream.opened;
  const reader = readable.getReader();
  const writer = writable.getWriter();
  const ends = [
    settle(world, 'closed', stream.closed),
    settle(world, 'reader.closed', reader.closed),
    settle(world, 'writer.closed', writer.closed),
  ];
  return { stream, reader, writer, rest, ended: Promise.all(ends) };
}

/** @type {Record<string, Scenario>} */
export const SCENARIOS = {
  async opens(world) {
    const stream = new world.WebSocketStream(world.url('echo?a#').replace('#', ''), { protocols: ['b', 'a'] });
    world.say(`${stream.url === world.url('echo?a')} ${Object.prototype.toString.call(stream)}`);
    const info = await stream.opened;
    world.say(Object.keys(info).sort().join());
    world.say(`${info.protocol} ${info.readable instanceof ReadableStream} ${info.writable instanceof WritableStream}`);
    stream.close();
    await settle(world, 'closed', stream.closed);
  },
  async echoes(world) {
    const { stream, reader, writer, ended } = await opened(world, 'echo');
    const bytes = new Uint8Array([1, 2, 3, 4, 5]);
    const chunks = [
      'text',
      '',
      bytes,
      bytes.buffer,
      new DataView(bytes.buffer, 1, 2),
      new Uint16Array([257]),
      5,
      null,
      undefined,
      { toString: () => 'object' },
      ['a', 'b'],
      true,
    ];
    for (const chunk of chunks) {
      await writer.write(chunk);
      world.say(read(await reader.read()));
    }
    stream.close();
    await ended;
  },
  async 'a chunk that cannot be text: the connection goes on'(world) {
    const { stream, reader, writer, ended } = await opened(world, 'echo?say=a');
    await settle(world, 'write', writer.write(Symbol('s')));
    world.say(read(await reader.read()));
    stream.close();
    await ended;
  },
  async 'the peer closes with 1000'(world) {
    const { reader, writer, ended } = await opened(world, 'close?code=1000&reason=bye');
    world.say(read(await reader.read()));
    await ended;
    await settle(world, 'write', writer.write('late'));
  },
  async 'the peer closes with 4001'(world) {
    const { reader, ended } = await opened(world, 'close?code=4001');
    world.say(read(await reader.read()));
    await ended;
  },
  async 'the peer closes without a code'(world) {
    const { reader, ended } = await opened(world, 'close');
    world.say(read(await reader.read()));
    await ended;
  },
  async 'the peer closes and nobody reads'(world) {
    const { ended } = await opened(world, 'close?code=1000');
    await ended;
  },
  async 'messages before the close are read'(world) {
    const { reader, ended } = await opened(world, 'close?code=1000&say=a&say=b&say=c');
    for (let i = 0; i < 4; i++) world.say(read(await reader.read()));
    await ended;
  },
  async 'the peer cuts the connection'(world) {
    const { reader, ended, writer } = await opened(world, 'cut?say=a');
    world.say(read(await reader.read()));
    await settle(world, 'read', reader.read());
    await ended;
    await settle(world, 'write', writer.write('late'));
  },
  async 'the peer breaks the protocol'(world) {
    const { reader, ended } = await opened(world, 'broken');
    await settle(world, 'read', reader.read());
    await ended;
  },
  async 'close()'(world) {
    const { stream, reader, writer, ended } = await opened(world, 'echo');
    world.say(String(stream.close()));
    stream.close({ closeCode: 4000 });
    await settle(world, 'write', writer.write('late'));
    world.say(read(await reader.read()));
    await ended;
    stream.close({ closeCode: 4000 });
  },
  async 'close() with code and reason'(world) {
    const { stream, ended } = await opened(world, 'echo');
    stream.close({ closeCode: 4000, reason: 'réason' });
    await ended;
  },
  async 'close() with a reason alone'(world) {
    const { stream, ended } = await opened(world, 'echo');
    stream.close({ reason: 'because' });
    await ended;
  },
  async 'close() behind what was written'(world) {
    const { stream, writer, ended } = await opened(world, 'echo');
    quiet(writer.write('a'));
    quiet(writer.write('b'));
    stream.close();
    await ended;
  },
  async 'close() with what does not fit'(world) {
    const { stream, ended } = await opened(world, 'echo');
    const long = 'x'.repeat(124);
    for (const [name, init] of Object.entries({
      1001: { closeCode: 1001 },
      999: { closeCode: 999 },
      2999: { closeCode: 2999 },
      5000: { closeCode: 5000 },
      huge: { closeCode: 1e9 },
      negative: { closeCode: -1 },
      NaN: { closeCode: NaN },
      'long reason': { closeCode: 1000, reason: long },
      'long reason alone': { reason: long },
      'a number': 1000,
      'a string': 'x',
    }))
      attempt(world, name, () => stream.close(init));
    attempt(world, 'fraction, text', () => stream.close({ closeCode: '3000.4', reason: 5 }));
    await ended;
  },
  async 'writer.close()'(world) {
    const { reader, writer, ended } = await opened(world, 'echo');
    await writer.write('a');
    world.say(read(await reader.read()));
    const closing = settle(world, 'writer.close()', writer.close());
    world.say(read(await reader.read()));
    await Promise.all([closing, ended]);
  },
  async 'writer.abort()'(world) {
    const { reader, writer, ended } = await opened(world, 'echo');
    await settle(world, 'abort', writer.abort());
    await settle(world, 'read', reader.read().then(read));
    await ended;
  },
  async 'writer.abort(error)'(world) {
    const { writer, ended } = await opened(world, 'echo');
    await settle(world, 'abort', writer.abort(new TypeError('mine')));
    await ended;
  },
  async 'writer.abort(WebSocketError)'(world) {
    const { writer, ended } = await opened(world, 'echo');
    await settle(world, 'abort', writer.abort(new world.WebSocketError('mine', { closeCode: 4002, reason: 'why' })));
    await ended;
  },
  async 'reader.cancel()'(world) {
    const { reader, ended } = await opened(world, 'echo');
    await settle(world, 'cancel', reader.cancel());
    await ended;
  },
  async 'reader.cancel(WebSocketError)'(world) {
    const { reader, ended } = await opened(world, 'echo');
    await settle(world, 'cancel', reader.cancel(new world.WebSocketError('', { reason: 'enough' })));
    await ended;
  },
  async 'reader.cancel(like a WebSocketError)'(world) {
    const { reader, ended } = await opened(world, 'echo');
    await settle(world, 'cancel', reader.cancel({ name: 'WebSocketError', closeCode: 4003, reason: 'fake' }));
    await ended;
  },
  async 'the handshake is refused'(world) {
    const stream = new world.WebSocketStream(world.url('refuse'));
    await Promise.all([settle(world, 'opened', stream.opened), settle(world, 'closed', stream.closed)]);
  },
  async 'a subprotocol that the server does not take'(world) {
    const stream = new world.WebSocketStream(world.url('echo'), { protocols: ['unknown'] });
    await Promise.all([settle(world, 'opened', stream.opened), settle(world, 'closed', stream.closed)]);
  },
  async 'close() while connecting'(world) {
    const stream = new world.WebSocketStream(world.url('hang'));
    const ends = [settle(world, 'opened', stream.opened), settle(world, 'closed', stream.closed)];
    stream.close({ closeCode: 4000, reason: 'x' });
    await Promise.all(ends);
  },
  async 'a signal that is aborted'(world) {
    const stream = new world.WebSocketStream(world.url('echo'), { signal: AbortSignal.abort() });
    await Promise.all([settle(world, 'opened', stream.opened), settle(world, 'closed', stream.closed)]);
  },
  async 'a signal while connecting'(world) {
    const controller = new AbortController();
    const stream = new world.WebSocketStream(world.url('hang'), { signal: controller.signal });
    const ends = [settle(world, 'opened', stream.opened), settle(world, 'closed', stream.closed)];
    controller.abort();
    await Promise.all(ends);
  },
  async 'a signal with a reason'(world) {
    const controller = new AbortController();
    const stream = new world.WebSocketStream(world.url('hang'), { signal: controller.signal });
    const ends = [settle(world, 'opened', stream.opened), settle(world, 'closed', stream.closed)];
    controller.abort(new RangeError('mine'));
    await Promise.all(ends);
  },
  async 'a signal with a reason that is no error'(world) {
    const controller = new AbortController();
    const stream = new world.WebSocketStream(world.url('hang'), { signal: controller.signal });
    const ends = [settle(world, 'opened', stream.opened), settle(world, 'closed', stream.closed)];
    controller.abort('text');
    await Promise.all(ends);
  },
  async 'a signal after the handshake'(world) {
    const controller = new AbortController();
    const { reader, writer, stream, ended } = await opened(world, 'echo', { signal: controller.signal });
    controller.abort();
    await writer.write('still here');
    world.say(read(await reader.read()));
    stream.close();
    await ended;
  },
  'what the constructor refuses'(world) {
    const { WebSocketStream, url } = world;
    const make =
      (/** @type {any[]} */ ...args) =>
      () => {
        const stream = new WebSocketStream(...args);
        quiet(stream.opened);
        quiet(stream.closed);
        stream.close();
        return 'nothing';
      };
    attempt(world, 'no argument', make());
    attempt(world, 'no URL', make('http//'));
    attempt(world, 'ftp', make('ftp://localhost'));
    attempt(world, 'fragment', make(`${url('echo')}#a`));
    attempt(world, 'twice the same protocol', make(url('echo'), { protocols: ['a', 'a'] }));
    attempt(world, 'no token', make(url('echo'), { protocols: ['a b'] }));
    attempt(world, 'protocols is a string', make(url('echo'), { protocols: 'a' }));
    attempt(world, 'signal is no signal', make(url('echo'), { signal: 1 }));
    attempt(world, 'options is a string', make(url('echo'), 'a'));
    attempt(world, 'without new', () => WebSocketStream(url('echo')));
  },
  WebSocketError(world) {
    const { WebSocketError } = world;
    const make =
      (/** @type {any[]} */ ...args) =>
      () =>
        new WebSocketError(...args);
    const error = new WebSocketError('text', { closeCode: 4000, reason: 'why' });
    world.say(
      [
        error.name,
        error.message,
        error.code,
        error.closeCode,
        error.reason,
        error instanceof Error,
        error instanceof DOMException,
        String(error),
        Object.prototype.toString.call(error),
      ].join('|'),
    );
    attempt(world, 'nothing', make());
    attempt(world, 'an empty init', make('m', {}));
    attempt(world, 'a reason alone', make('m', { reason: 'why' }));
    attempt(world, 'an empty reason', make('m', { reason: '' }));
    attempt(world, 'an unpaired surrogate', make('m', { reason: '\ud800' }));
    for (const closeCode of [
      0,
      999,
      1000,
      1001,
      1005,
      2999,
      3000,
      4999,
      5000,
      70_000,
      -1,
      NaN,
      '4000',
      null,
      undefined,
    ])
      attempt(world, `closeCode ${closeCode}`, make('m', { closeCode }));
    attempt(world, '123 bytes', make('m', { reason: 'é'.repeat(61) + 'x' }));
    attempt(world, '124 bytes', make('m', { reason: 'é'.repeat(62) }));
    attempt(world, 'closeCode cannot be set', () => {
      error.closeCode = 1;
      return error.closeCode;
    });
  },
};

/**
 * Runs one; what does not come to an end in `ms` says so.
 * @param {string} name
 * @param {Omit<World, 'say'>} world
 */
export async function runScenario(name, world, ms = 5000) {
  const lines = /** @type {string[]} */ ([]);
  const say = (/** @type {string} */ line) => void lines.push(line);
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve(say('…')), ms);
  });
  await Promise.race([
    late,
    Promise.resolve(SCENARIOS[name]?.({ ...world, say })).catch((error) =>
      say(`threw ${show(error)} ${error.message}`),
    ),
  ]);
  clearTimeout(timer);
  return lines;
}
