import { expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import { hex } from '@ws/testing';
import { FrameDuplex } from '@ws/frame/stream';
import { Opcode } from '@ws/frame';
import { WebSocketServer, type ServerOptions as CoreOptions } from '@ws/server';
import { WebSocket as Undici } from 'undici';
import { WebSocket as Ws } from 'ws';
import { Server, Socket, type ServerOptions } from '../../src/websockets/index.js';
import { Client, closeLater, listen, masked, next, parse, portOf, shake, start, statusOf, Wire } from './support.js';

/** The documented program, and the same in the words of the core: what is seen from outside is the same. */
function program<Make>(
  title: string,
  makes: { adapter: Make; core: Make },
  check: (make: Make) => Promise<void>,
): void {
  // oxlint-disable-next-line jest/expect-expect -- they are in what is checked
  test.each(Object.entries<Make>(makes))(`${title}: %s`, (_name, make) => check(make));
}

function pair(): { source: Duplex; wire: Wire } {
  const [source, far] = duplexPair();
  closeLater(() => source.destroy());
  return { source, wire: new Wire(far) };
}

// Frames.

program<(source: Duplex) => unknown>(
  'A-01 a client’s end masks, with another key each time',
  {
    adapter: (source) => new Socket(source, { mask: true }).writeEnd('a text'),
    core: (source) => new FrameDuplex(source, { role: 'client' }).writeEnd('a text'),
  },
  async (make) => {
    const keys = [];
    for (let n = 0; n < 2; n++) {
      const { source, wire } = pair();
      make(source);
      const [frame] = await wire.frames(1);
      expect(frame).toMatchObject({ head: { opcode: 1, fin: true }, payload: Buffer.from('a text') });
      keys.push(frame!.head.maskingKey);
    }
    expect(keys).toEqual([expect.any(Number), expect.any(Number)]);
    expect(keys[0]).not.toBe(keys[1]);
  },
);

program<(source: Duplex, print: (text: string) => void) => EventEmitter>(
  'A-02 what is readable is read, and there is an end',
  {
    adapter: (source, print) => {
      const socket = new Socket(source, { role: 'any' });
      return socket.on('readable', () => print(socket.read()!.toString()));
    },
    core: (source, print) => {
      const duplex = new FrameDuplex(source, { role: 'any' });
      return duplex.on('readable', () => print(duplex.read()?.toString() ?? ''));
    },
  },
  async (make) => {
    const bytes = Buffer.from(hex`81 05 | 48656c6c6f`);
    for (const pieces of [[bytes], Array.from(bytes, (byte) => Buffer.of(byte))]) {
      const { source, wire } = pair();
      let printed = '';
      const ended = next(
        make(source, (text) => (printed += text)),
        'end',
      );
      for (const piece of pieces) {
        wire.send(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
      wire.stream.end();
      await ended;
      expect(printed).toBe('Hello');
    }
  },
);

program<(source: Duplex) => void>(
  'A-03 two heads, one frame in two writes',
  {
    adapter: (source) => {
      const socket = new Socket(source);
      socket.writeHead({ fin: true, mask: true });
      socket.writeHead({ opcode: 0x02, length: 0x05 });
      socket.write(Buffer.of(1, 2));
      socket.write(Buffer.of(3, 4, 5));
    },
    core: (source) => {
      const duplex = new FrameDuplex(source);
      duplex.writeHead({ fin: true, mask: true, opcode: 2, length: 5 });
      duplex.write(Buffer.of(1, 2));
      duplex.write(Buffer.of(3, 4, 5));
    },
  },
  async (make) => {
    const { source, wire } = pair();
    make(source);
    const [frame] = await wire.frames(1);
    expect(frame!.head).toMatchObject({ fin: true, opcode: 2, payloadLength: 5, maskingKey: expect.any(Number) });
    expect(frame!.payload).toEqual(Buffer.of(1, 2, 3, 4, 5));
    expect(wire.received).toHaveLength(11);
  },
);

program<(source: Duplex) => void>(
  'A-04 a head and an end are a frame',
  {
    adapter: (source) => void new Socket(source).writeHead({ opcode: 0x01 }).writeEnd(Buffer.from('Hello')),
    core: (source) => void new FrameDuplex(source).writeHead({ opcode: Opcode.Text }).writeEnd(Buffer.from('Hello')),
  },
  async (make) => {
    const { source, wire } = pair();
    make(source);
    expect(await wire.take(7)).toBe('810548656c6c6f');
  },
);

program<(source: Duplex) => void>(
  'A-05 payload is sent back as it comes',
  {
    adapter: (source) => {
      const socket = new Socket(source);
      socket.writeHead({ opcode: 0x02 });
      socket.on('readable', () => void socket.write(socket.read()));
      socket.on('done', () => void socket.write(socket.writeEnd()));
    },
    core: (source) => {
      const duplex = new FrameDuplex(source);
      duplex.writeHead({ opcode: Opcode.Binary });
      duplex.on('data', (chunk) => void duplex.write(chunk));
      duplex.on('messageEnd', () => void duplex.writeEnd());
    },
  },
  async (make) => {
    const { source, wire } = pair();
    make(source);
    const payload = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
    const frame = masked(payload, { opcode: Opcode.Binary });
    for (let at = 0; at < frame.length; at += 1000) wire.send(frame.subarray(at, at + 1000));
    let frames = parse(wire.received);
    while (!frames.at(-1)?.head.fin) {
      await once(wire.stream, 'data');
      frames = parse(wire.received);
    }
    expect(frames.length).toBeGreaterThan(2);
    const last = frames.length - 1;
    expect(frames.map(({ head }) => head.opcode)).toEqual(frames.map((_, i) => (i === 0 ? 2 : 0)));
    expect(frames.map(({ head }) => head.fin)).toEqual(frames.map((_, i) => i === last));
    expect(frames[last]!.payload).toHaveLength(0);
    expect(Buffer.concat(frames.map((each) => each.payload)).equals(payload)).toBe(true);
  },
);

program<(source: Duplex, log: (line: string) => void) => EventEmitter>(
  'A-06 a ping is known by its head',
  {
    adapter: (source, log) =>
      new Socket(source).on('head', (head) => {
        if (head.opcode === 0x09) log('the upcoming frame is a ping');
      }),
    core: (source, log) =>
      new FrameDuplex(source).on('head', (head) => {
        if (head.opcode === Opcode.Ping) log('the upcoming frame is a ping');
      }),
  },
  async (make) => {
    const { source, wire } = pair();
    const events: string[] = [];
    const stream = make(source, (line) => events.push(line));
    stream.on('ping', (payload) => events.push(String(payload)));
    stream.on('data', (chunk) => events.push(String(chunk)));
    wire.send(masked('a', { opcode: Opcode.Text }));
    const ping = masked('payload', { opcode: Opcode.Ping });
    wire.send(ping.subarray(0, 6));
    while (events.length < 2) await next(stream, 'head');
    expect(events).toEqual(['a', 'the upcoming frame is a ping']);
    wire.send(ping.subarray(6));
    wire.send(masked('b', { opcode: Opcode.Text }));
    while (events.at(-1) !== 'b') await next(stream, 'data');
    expect(events).toEqual(['a', 'the upcoming frame is a ping', 'payload', 'b']);
  },
);

// The server.

/** A server of the core on an http server of its own. */
async function startCore(options: CoreOptions = {}): Promise<{ server: WebSocketServer; port: number }> {
  const http = await listen();
  const server = new WebSocketServer({ server: http, ...options });
  closeLater(() => {
    for (const socket of server.clients) socket.terminate();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { server, port: portOf(http) };
}

const startAdapter = async (options?: ServerOptions): Promise<{ server: Server; port: number }> => start(options);
/** How many connections there are. */
type Counts = { readonly port: number; readonly count: () => number };

program<() => Promise<Counts>>(
  'A-07 four may come, the fifth gets 503',
  {
    adapter: async () => {
      const { server, port } = await startAdapter({ maxConnections: 4 });
      return { port, count: () => server.sockets.length };
    },
    core: async () => {
      const { server, port } = await startCore({ maxConnections: 4 });
      return { port, count: () => server.clients.size };
    },
  },
  async (make) => {
    const { port, count } = await make();
    const clients = await Promise.all([1, 2, 3, 4].map(() => opened(new Client(port))));
    expect(statusOf((await shake(port)).answer)).toBe(503);
    expect(clients.map(({ socket }) => socket.readyState)).toEqual([1, 1, 1, 1]);
    clients[0]!.socket.close();
    await clients[0]!.socket.closed;
    while (count() === 4) await new Promise((resolve) => setImmediate(resolve));
    expect(statusOf((await shake(port)).answer)).toBe(101);
    expect(count()).toBe(4);
  },
);

async function opened(client: Client): Promise<Client> {
  if (client.socket.readyState === client.socket.CONNECTING) await once(client.socket, 'open');
  return client;
}

program<() => Promise<{ port: number; first(): void; rest(): void }>>(
  'A-08 a message is written to all, part by part',
  {
    adapter: async () => {
      const { server, port } = await startAdapter();
      return {
        port,
        first: () => void server.write(Buffer.from([0x01, 0x02, 0x03])),
        rest: () => void (server.write(Buffer.from([0x04, 0x05, 0x06])), server.write(Buffer.alloc(0))),
      };
    },
    core: async () => {
      const { server, port } = await startCore();
      const message = server.createBroadcast({ binary: true });
      return {
        port,
        first: () => void message.write(Buffer.of(1, 2, 3)),
        rest: () => void (message.write(Buffer.of(4, 5, 6)), message.end(Buffer.alloc(0))),
      };
    },
  },
  async (make) => {
    const { port, first, rest } = await make();
    const client = await opened(new Client(port));
    const { wire } = await shake(port);
    first();
    expect(await wire.take(5)).toBe('0203010203');
    const { wire: late } = await shake(port);
    rest();
    expect(await wire.take(7)).toBe('0003040506' + '8000');
    expect(await client.until(1)).toEqual([Buffer.of(1, 2, 3, 4, 5, 6)]);
    late.send(masked('still there?', { opcode: Opcode.Ping }));
    expect(await late.take(14)).toBe(`8a0c${Buffer.from('still there?').toString('hex')}`);
  },
);

program<(http: Awaited<ReturnType<typeof listen>>, url: string, hello: string) => unknown>(
  'A-09 servers on one http server, which serves its pages',
  {
    adapter: (http, url, hello) => new Server({ url }).listen(http).on('open', (socket) => socket.send(hello)),
    core: (http, url, hello) => {
      const path = new URL(url).pathname;
      const server = new WebSocketServer({ noServer: true, path, unservedPath: 404 }).attach(http);
      return server.on('connection', (socket) => socket.send(hello));
    },
  },
  async (make) => {
    const http = await listen();
    const port = portOf(http);
    make(http, 'ws://localhost', 'root');
    make(http, 'ws://localhost/chat', 'chat');
    expect(await new Client(port, '/').until(1)).toEqual(['root']);
    expect(await new Client(port, '/chat').until(1)).toEqual(['chat']);
    expect(statusOf((await shake(port, { path: '/unknown' })).answer)).toBe(404);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('page');
  },
);

const SENTENCE = 'This is for everybody who is here: für alle.';

program<() => Promise<{ port: number; tell: () => void }>>(
  'A-10 a sentence for all',
  {
    adapter: async () => {
      const { server, port } = await startAdapter();
      return { port, tell: () => void server.broadcast({ fin: true, opcode: 0x01 }, Buffer.from(SENTENCE)) };
    },
    core: async () => {
      const { server, port } = await startCore();
      return { port, tell: () => void server.broadcast(Buffer.from(SENTENCE), { binary: false }) };
    },
  },
  async (make) => {
    const { port, tell } = await make();
    const clients = await Promise.all([1, 2, 3].map(() => opened(new Client(port))));
    const { wire } = await shake(port);
    tell();
    for (const client of clients) expect(await client.until(1)).toEqual([SENTENCE]);
    const bytes = Buffer.from(SENTENCE);
    expect(await wire.take(bytes.length + 2)).toBe(`81${bytes.length.toString(16)}${bytes.toString('hex')}`);
  },
);

/** Clients that are none of ours: `ws`, and one as browsers have it. Each gives what it gets first. */
const STRANGERS: Record<string, (port: number, say?: string | Buffer) => Promise<string>> = {
  ws: async (port, say) => {
    const socket = new Ws(`ws://127.0.0.1:${port}/`);
    closeLater(() => socket.terminate());
    if (say !== undefined) socket.on('open', () => socket.send(say));
    return String((await once(socket, 'message'))[0]);
  },
  undici: (port, say) =>
    new Promise((resolve, reject) => {
      const socket = new Undici(`ws://127.0.0.1:${port}/`);
      closeLater(() => socket.close());
      socket.onopen = () => say !== undefined && socket.send(say);
      socket.onmessage = ({ data }: { data: unknown }) => resolve(String(data));
      socket.onerror = () => reject(new Error('it failed'));
    }),
};

program<() => Promise<{ port: number }>>(
  'A-11 a greeting is the first message of each',
  {
    adapter: async () => {
      const started = await startAdapter();
      started.server.on('open', (socket) => socket.send('Hello new WebSocket.'));
      return started;
    },
    core: async () => {
      const started = await startCore();
      started.server.on('connection', (socket) => socket.send('Hello new WebSocket.'));
      return started;
    },
  },
  async (make) => {
    const { port } = await make();
    const client = new Client(port);
    expect(await client.until(1)).toEqual(['Hello new WebSocket.']);
    for (const stranger of Object.values(STRANGERS)) expect(await stranger(port)).toBe('Hello new WebSocket.');
  },
);

program<() => Promise<{ port: number }>>(
  'A-12 the pong first, then the answer to it',
  {
    adapter: async () => {
      const started = await startAdapter();
      started.server.on('pong', (_message, socket) => socket.send('You have pinged me?'));
      return started;
    },
    core: async () => {
      const started = await startCore();
      started.server.on('connection', (socket) => socket.on('ping', () => socket.send('You have pinged me?')));
      return started;
    },
  },
  async (make) => {
    const { port } = await make();
    const { wire } = await shake(port);
    wire.send(masked('x', { opcode: Opcode.Ping }));
    expect(await wire.take(24)).toBe(`8a01788113${Buffer.from('You have pinged me?').toString('hex')}`);
    const socket = new Ws(`ws://127.0.0.1:${port}/`);
    closeLater(() => socket.terminate());
    await once(socket, 'open');
    const told: string[] = [];
    socket.on('pong', (data) => told.push(String(data)));
    socket.ping('y');
    await once(socket, 'message');
    expect(told).toEqual(['y']);
  },
);

program<(print: (line: string) => void) => Promise<Counts>>(
  'A-13 who left, and how',
  {
    adapter: async (print) => {
      const { server, port } = await startAdapter();
      server.on('close', (code, socket) => print(`${socket.id}:${code}`));
      return { port, count: () => server.sockets.length };
    },
    core: async (print) => {
      const { server, port } = await startCore();
      let ids = 0;
      server.on('connection', (socket) => {
        const id = ids++;
        socket.on('close', (code) => print(`${id}:${code}`));
      });
      return { port, count: () => server.clients.size };
    },
  },
  async (make) => {
    const printed = new EventEmitter();
    const lines: string[] = [];
    const { port, count } = await make((line) => {
      lines.push(line);
      printed.emit('line');
    });
    const leave: ((client: Client) => void)[] = [
      ({ socket }) => socket.close(1000),
      ({ socket }) => socket.close(4001),
      ({ socket }) => socket.close(),
      ({ socket }) => socket.terminate(),
    ];
    for (const act of leave) {
      const line = once(printed, 'line');
      act(await opened(new Client(port)));
      await line;
    }
    expect(lines).toEqual(['0:1000', '1:4001', '2:1005', '3:1006']);
    while (count() > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(count()).toBe(0);
  },
);

program<(log: (error: Error) => void) => Promise<{ port: number }>>(
  'A-14 who breaks a rule is told, and so are we',
  {
    adapter: async (log) => {
      const started = await startAdapter({ maxPayload: 1000 });
      started.server.on('error', (error) => log(error));
      started.server.on('message', (message, socket) => socket.send(message));
      return started;
    },
    core: async (log) => {
      const started = await startCore({ maxPayload: 1000 });
      started.server.on('connection', (socket) => {
        socket.on('error', log);
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      });
      return started;
    },
  },
  async (make) => {
    const errors: Error[] = [];
    const { port } = await make((error) => errors.push(error));
    const other = await opened(new Client(port));
    for (const [bytes, code] of [
      [hex`81 01 | 61`, 1002],
      [masked(Buffer.of(0xc3, 0x28), { opcode: Opcode.Text }), 1007],
      [masked(Buffer.alloc(1001), { opcode: Opcode.Binary }), 1009],
    ] as const) {
      const { wire } = await shake(port);
      wire.send(bytes);
      expect(await wire.take(4)).toBe(`8802${code.toString(16).padStart(4, '0')}`);
      wire.stream.end();
      await wire.toEnd();
    }
    expect(errors.every((error) => error instanceof Error)).toBe(true);
    expect(errors.map((error) => (error as NodeJS.ErrnoException).code)).toEqual([
      'WS_ERR_EXPECTED_MASK',
      'WS_ERR_INVALID_UTF8',
      'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    ]);
    other.socket.send('unaffected');
    expect(await other.until(1)).toEqual(['unaffected']);
  },
);

program<(got: (message: unknown) => void) => Promise<{ port: number }>>(
  'A-15 what you have sent me',
  {
    adapter: async (got) => {
      const started = await startAdapter();
      started.server.on('message', (message, socket) => {
        got(message);
        socket.send(`You have sent me ${String(message)}`);
      });
      return started;
    },
    core: async (got) => {
      const started = await startCore();
      started.server.on('connection', (socket) =>
        socket.on('message', (data, isBinary) => {
          got(isBinary ? data : String(data));
          socket.send(`You have sent me ${String(data)}`);
        }),
      );
      return started;
    },
  },
  async (make) => {
    const messages: unknown[] = [];
    const { port } = await make((message) => messages.push(message));
    const client = await opened(new Client(port));
    client.socket.send('a text');
    client.socket.send(Buffer.from('bytes'));
    expect(await client.until(2)).toEqual(['You have sent me a text', 'You have sent me bytes']);
    for (const stranger of Object.values(STRANGERS)) expect(await stranger(port, 'hi')).toBe('You have sent me hi');
    expect(messages).toEqual(['a text', Buffer.from('bytes'), 'hi', 'hi']);
  },
);

interface Images {
  readonly port: number;
  readonly log: unknown[];
  readonly told: EventEmitter;
  readonly core: WebSocketServer;
  write(bytes: Buffer): void;
}

program<() => Promise<Images>>(
  'A-16 images from clients to all',
  {
    adapter: async () => {
      const { server, port } = await startAdapter();
      const log: unknown[] = [];
      const told = new EventEmitter();
      server.on('stream:start', (socket) => void socket.pipe(server));
      server.on('stream:stop', (socket) => socket.unpipe(server));
      server.on('stream:end', () => told.emit('told', log.push('end')));
      server.on('error', (error) => log.push((error as NodeJS.ErrnoException).code));
      const write = (bytes: Buffer): void => void (server.write(bytes), server.write(Buffer.alloc(0)));
      return { port, log, told, core: server.core, write };
    },
    core: async () => {
      const { server, port } = await startCore({ incoming: 'auto', maxPayload: 100 * 2 ** 20 });
      const log: unknown[] = [];
      const told = new EventEmitter();
      server.on('connection', (socket) => {
        socket.on('incoming', (image) => {
          image.on('error', (error) => log.push((error as NodeJS.ErrnoException).code));
          image.on('close', () => told.emit('told', log.push('end')));
          image.pipe(server.createBroadcast({ binary: image.isBinary, forward: 2 ** 20 }));
        });
      });
      return { port, log, told, core: server, write: (bytes) => void server.createBroadcast().end(bytes) };
    },
  },
  async (make) => {
    const { port, log, told, core, write } = await make();
    const [a, b, c] = (await Promise.all([1, 2, 3].map(() => opened(new Client(port))))) as [Client, Client, Client];
    let most = 0;
    const sampling = setInterval(() => {
      const { bytesQueued, memory } = core.metrics();
      most = Math.max(most, bytesQueued, memory);
    }, 1);
    closeLater(() => clearInterval(sampling));
    const image = (fill: number): Buffer => Buffer.alloc(10 * 2 ** 20, fill);
    const send = ({ socket }: Client, bytes: Buffer): void => {
      const size = Math.ceil(bytes.length / 100);
      for (let at = 0; at < bytes.length; at += size)
        socket.send(bytes.subarray(at, at + size), { fin: at + size >= bytes.length });
    };
    send(a, image(1));
    send(b, image(2));
    const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
    const both = [image(1), image(2)].map(sha256).toSorted();
    for (const client of [a, b, c]) expect((await client.until(2)).map(sha256).toSorted()).toEqual(both);
    while (log.length < 2) await once(told, 'told');
    expect(log).toEqual(['end', 'end']);
    expect(most / 3).toBeLessThan(4 * 2 ** 20);
    write(Buffer.of(1));
    for (const client of [a, b, c]) expect((await client.until(3))[2]).toEqual(Buffer.of(1));

    // One is cut in the middle, another goes on.
    const half = (fill: number): Buffer => image(fill).subarray(0, 2 ** 20);
    for (let n = 0; n < 2; n++) a.socket.send(half(4), { fin: false });
    const hasAll = (): boolean => [...core.clients].some(({ bytesReceived }) => bytesReceived > 12 * 2 ** 20);
    while (!hasAll()) await new Promise((resolve) => setImmediate(resolve));
    b.socket.send(half(3), { fin: false });
    a.socket.terminate();
    while (log.length < 4) await once(told, 'told');
    expect(log.slice(2)).toEqual(['WS_ERR_INCOMPLETE_MESSAGE', 'end']);
    b.socket.send(half(3));
    for (const client of [b, c]) {
      await client.until(5);
      const lengths = client.messages.slice(3).map((message) => [message.length, (message as Buffer)[0]]);
      expect(lengths).toContainEqual([2 * 2 ** 20, 3]);
      expect(lengths.some(([length, fill]) => fill === 4 && length! <= 2 * 2 ** 20)).toBe(true);
      expect(client.socket.readyState).toBe(client.socket.OPEN);
    }
  },
);
