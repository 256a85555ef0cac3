import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

// What users' code throws, seen where it comes up: in a process of its own, under an 'uncaughtException' listener.
const PRELUDE = `
  import { Duplex } from 'node:stream';
  import { createPair, WebSocket } from '@ws/connection';
  process.on('uncaughtException', (error) => console.log('uncaught', error.message));
  const turns = async (n = 20) => { for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve)); };
  const thrower = (message) => () => { throw new Error(message); };
  function recorded(options) {
    const stream = new Duplex({ read() {}, write(chunk, _encoding, callback) { stream.count++; stream.stalled ? stream.stalled.push(callback) : callback(); } });
    stream.count = 0;
    return { stream, socket: WebSocket.from(stream, { role: 'server', ...options }) };
  }
`;

const run = async (program: string): Promise<string[]> => {
  const args = ['--no-warnings', '--input-type=module', '-e', PRELUDE + program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: new URL('..', import.meta.url) });
  return stdout.trim().split('\n');
};

test('a callback of send that throws takes no other callback along, and no other connection', async () => {
  const lines = await run(`
    const [first, second] = [recorded(), recorded()];
    first.socket.send('a', thrower('mine'));
    first.socket.send('b', () => console.log('b'));
    second.socket.send('c', () => console.log('c'));
    await turns();
    second.socket.send('d', () => console.log('d'));
    await turns();
    console.log(second.stream.count);`);
  expect(lines.sort()).toEqual(['2', 'b', 'c', 'd', 'uncaught mine']);
});

test('a stream whose write and destroy throw holds up nobody', async () => {
  const lines = await run(`
    const [before, bad, behind] = [recorded(), recorded(), recorded()];
    bad.stream.write = thrower('write');
    bad.stream.destroy = thrower('destroy');
    for (const { socket } of [before, bad, behind]) socket.send('a');
    await turns();
    for (const { socket } of [before, behind]) socket.send('b');
    await turns();
    console.log(before.stream.count, behind.stream.count);
    process.exit();`);
  expect(lines).toEqual(['uncaught destroy', '2 2']);
});

test('a callback that throws at the end of the connection: close comes all the same', async () => {
  const lines = await run(`
    const { stream, socket } = recorded();
    stream.stalled = [];
    socket.send('a', thrower('in flight'));
    socket.send('b', () => console.log('b'));
    await turns();
    socket.send(new Blob(['c']), thrower('being read'));
    socket.send('d', thrower('queued'));
    socket.terminate();
    console.log('closed', (await socket.closed).code);
    await turns(200);`);
  expect(lines.sort()).toEqual(['b', 'closed 1006', 'uncaught being read', 'uncaught in flight', 'uncaught queued']);
});

test('a callback that throws while the peer breaks the protocol: the Close frame goes out', async () => {
  const lines = await run(`
    const { stream, socket } = recorded();
    socket.send(new Blob(['c']));
    socket.send('d', thrower('queued'));
    stream.push(Buffer.from('ff', 'hex'));
    await turns(200);
    console.log('writes', stream.count, 'ended', stream.writableEnded);
    socket.terminate();`);
  expect(lines.sort()).toEqual(['uncaught queued', 'writes 1 ended true']);
});

test('generateMask that throws: the caller has it, or the process where a Blob was awaited; the next message goes', async () => {
  const lines = await run(`
    let fails = true;
    const { stream, socket } = recorded({ role: 'client', generateMask: (mask) => { if (fails) throw new Error('no mask'); mask.fill(1); } });
    try { socket.send('x'); } catch (error) { console.log('thrown', error.message); }
    socket.send(new Blob(['y']), (error) => console.log('callback', error.message));
    await turns(500);
    fails = false;
    socket.send('z', () => console.log('sent', stream.count));
    await turns();
    socket.terminate();`);
  expect(lines.sort()).toEqual(['callback no mask', 'sent 1', 'thrown no mask', 'uncaught no mask']);
});

test('what a listener of one end of a pair throws is the process’s, not the other end’s', async () => {
  const lines = await run(`
    const { client, server } = createPair();
    server.once('message', thrower('an assertion'));
    server.on('message', (data) => console.log(String(data)));
    client.send('x');
    client.send('y');
    await turns();
    console.log(client.readyState, server.readyState);
    client.terminate();`);
  expect(lines).toEqual(['uncaught an assertion', 'y', '1 1']);
});

test('an extension whose close throws: the others are closed, and the connection comes to its end', async () => {
  const lines = await run(`
    const extension = (name, rsv, close) =>
      ({ name, rsv, close, encode: (payload, _fragment, done) => done(null, payload, 0), decode: () => {} });
    const extensions = [extension('one', 4, thrower('of close')), extension('two', 2, () => console.log('two'))];
    const { socket } = recorded({ extensions });
    socket.on('close', (code) => console.log('close', code));
    socket.terminate();
    await socket.closed;
    await turns();`);
  expect(lines.sort()).toEqual(['close 1006', 'two', 'uncaught of close']);
});

test('what a listener throws while an iterator lets reading go on is not the iterator’s', async () => {
  const lines = await run(`
    const { client, server } = createPair({ highWaterMark: 1000 });
    const iterator = server[Symbol.asyncIterator]();
    let count = 0;
    server.on('message', () => { if (++count === 3) throw new Error('the listener'); });
    for (let i = 0; i < 5; i++) client.send(i + 'x'.repeat(1000));
    for (let i = 0; i < 5; i++) console.log((await iterator.next()).value[0]);
    await iterator.return();`);
  expect(lines.sort()).toEqual(['0', '1', '2', '3', '4', 'uncaught the listener']);
});

test("what listeners of 'incoming' and of its messages throw comes up by itself: the message and those behind it come whole", async () => {
  const lines = await run(`
    const { client, server } = createPair({ incoming: 'stream' });
    server.on('incoming', (message) => {
      const chunks = [];
      message.on('data', (chunk) => { chunks.push(chunk); if (chunks.length === 1) throw new Error('data'); });
      message.on('end', () => { console.log('end', Buffer.concat(chunks).toString()); throw new Error('end'); });
      throw new Error('incoming');
    });
    client.send('a', { fin: false });
    await turns();
    client.send('b', { fin: false });
    await turns();
    client.send('c');
    client.send('d');
    client.close(1000);
    console.log('closed', (await server.closed).code);`);
  const own = ['uncaught incoming', 'uncaught data', 'uncaught end'];
  expect(lines.sort()).toEqual([...own, ...own, 'end abc', 'end d', 'closed 1000'].sort());
});

test('a cut message that nobody watches throws nothing', async () => {
  const lines = await run(`
    const { client, server } = createPair({ incoming: 'stream' });
    server.on('incoming', (message) => message.on('data', () => {}));
    client.send('a', { fin: false });
    await turns();
    client.terminate();
    console.log('closed', (await server.closed).code);
    await turns();`);
  expect(lines).toEqual(['closed 1006']);
});

test('messages() of a peer that is cut throws nowhere, of a connection that never was it does', async () => {
  const lines = await run(`
    const { client, server } = createPair();
    server.messages().on('data', console.log).on('close', () => console.log('closed'));
    client.send('before');
    await turns();
    client.terminate();
    const never = new (class extends WebSocket { fail() { this.failConnecting(new Error('refused')); } })(null);
    never.messages().on('data', console.log);
    never.fail();
    await turns();`);
  expect(lines.sort()).toEqual(['before', 'closed', 'uncaught refused']);
});

test("async listeners: what a peer causes is told by close alone, what is the program's comes up", async () => {
  const lines = await run(`
    process.on('unhandledRejection', (error) => console.log('unhandled', error.message));
    const pair = (name) => {
      const { client, server } = createPair({ incoming: 'stream' });
      server.on('close', () => console.log(name, 'closed'));
      return { client, server };
    };
    const loop = pair('loop');
    loop.server.on('open', async () => { for await (const message of loop.server) message.discard(); });
    const whole = pair('whole');
    whole.server.on('incoming', async (message) => { await message.text(); });
    const text = pair('text');
    text.server.addEventListener('open', async () => {
      text.server.on('incoming', async (message) => { await message.json(); });
    });
    const sender = pair('sender');
    sender.server.onopen = async () => {
      await sender.server.sendStream((async function* () { for (;;) { yield 'a'; await turns(1); } })());
    };
    const own = pair('own');
    own.server.once('incoming', async (message) => { throw new Error('mine ' + await message.text()); });
    await turns();
    const json = pair('json');
    json.server.on('incoming', async (message) => console.log('json', await message.json()));
    json.client.on('close', (code) => console.log('json code', code));
    json.client.send('[1]');
    json.client.send('no json');
    own.client.send('a');
    whole.client.send('a', { fin: false });
    text.client.send(Buffer.from([0xff]), { binary: false });
    await turns();
    for (const { client } of [loop, whole, sender, own]) client.terminate();
    await turns(50);`);
  expect(lines.sort()).toEqual([
    'json [ 1 ]',
    'json closed',
    'json code 1007',
    'loop closed',
    'own closed',
    'sender closed',
    'text closed',
    'unhandled mine a',
    'whole closed',
  ]);
});

test('createWebSocketStream: whatever the peer does throws nowhere, a connection that never was does', async () => {
  const lines = await run(`
    import { createWebSocketStream } from '@ws/connection';
    const ends = [
      ['offence', ({ client }) => client.duplex.write(Buffer.from('ffff', 'hex'))],
      ['cut', ({ client }) => { client.send('a', { fin: false }); setImmediate(() => client.terminate()); }],
    ];
    for (const [name, end] of ends) {
      for (const incoming of ['buffer', 'stream']) {
        const pair = createPair({ incoming });
        const duplex = createWebSocketStream(pair.server);
        duplex.on('close', () => console.log(name, incoming, 'closed'));
        duplex.resume();
        duplex.write(Buffer.alloc(200_000));
        duplex.write(Buffer.alloc(200_000));
        pair.client.pause();
        await turns();
        end(pair);
        await turns();
        pair.client.terminate();
        await turns();
      }
    }
    const never = new (class extends WebSocket { fail() { this.failConnecting(new Error('refused')); } })(null);
    createWebSocketStream(never);
    never.fail();
    await turns();`);
  const closed = ['offence buffer', 'offence stream', 'cut buffer', 'cut stream'].map((name) => `${name} closed`);
  expect(lines.sort()).toEqual([...closed, 'uncaught refused'].sort());
});

test("what a listener for 'frame' throws takes no message along", async () => {
  const lines = await run(`
    const { stream, socket } = recorded();
    socket.on('frame', thrower('mine')).on('message', (data) => console.log('message', String(data)));
    socket.on('close', (code) => console.log(code));
    stream.push(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 97, 0x01, 0x81, 0, 0, 0, 0, 98]));
    stream.push(Buffer.from([0x80, 0x81, 0, 0, 0]));
    stream.push(Buffer.from([0, 99]));
    await turns();
    socket.terminate();
    await turns();`);
  expect(lines.slice(0, -1).sort()).toEqual(['message a', 'message bc', ...Array<string>(3).fill('uncaught mine')]);
  expect(lines.at(-1)).toBe('1006');
});
