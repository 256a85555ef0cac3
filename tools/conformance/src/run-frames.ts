import { createHash } from 'node:crypto';
import { normalized } from './agreement.js';
import type { FrameCase, Role } from './case.js';
import { closeServer, EndpointLog, listen, type EndpointSocket, type Listening, type Peer } from './endpoint.js';
import { binary, close, noise, render, text, type Step } from './input.js';
import { cut, type Mode } from './modes.js';
import { verify, type Observed } from './verify.js';
import type { Watch } from './watch.js';
import { dial, headerValues, listenRaw, type Head, type Wire } from './wire.js';

// Runs one frame case in one mode and judges it.

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

const EXTENSIONS = 'Sec-WebSocket-Extensions';

const extensionLine = (value: string | undefined): string[] => (value === undefined ? [] : [`${EXTENSIONS}: ${value}`]);

const upgradeRequest = (path: string, offer?: string): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: example.com',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    ...extensionLine(offer),
    '',
    '',
  ].join('\r\n');

export const acceptFor = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

const switchingProtocols = (key: string, answer: string | undefined): string =>
  [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptFor(key)}`,
    ...extensionLine(answer),
    '',
    '',
  ].join('\r\n');

export interface FrameResult {
  readonly problems: readonly string[];
  /** Set where only an alternative of the case fits. */
  readonly alternative?: string;
}

const rendered = new WeakMap<FrameCase, Partial<Record<Role, readonly Step[]>>>();

/** The bytes of a case, made once for all modes. */
function stepsOf(testCase: FrameCase, role: Role): readonly Step[] {
  const known = rendered.get(testCase) ?? {};
  rendered.set(testCase, known);
  const isClean = testCase.expect.outcome.kind === 'clean';
  return (known[role] ??= render(isClean ? [...testCase.input, close(1000)] : testCase.input, role));
}

/** Sends the input, with the handshake bytes in front of it. */
async function sendInput(
  wire: Wire,
  testCase: FrameCase,
  role: Role,
  mode: Mode,
  handshake: string,
  ready: () => Promise<void>,
) {
  const steps = [...stepsOf(testCase, role)];
  const [first] = steps;
  if (mode === 'glued' && Buffer.isBuffer(first)) {
    await wire.send([Buffer.concat([Buffer.from(handshake), first])]);
    steps.shift();
    await ready();
  } else {
    await wire.send([Buffer.from(handshake)]);
    await ready();
  }
  for (const step of steps) {
    if (Buffer.isBuffer(step)) await wire.send(cut(step, mode, testCase.id));
    // Nobody echoes in bare mode.
    else if (mode !== 'bare' || step.what !== 'data') await wire.wait(step);
  }
}

/** A message every few milliseconds, for as long as the other end takes them. */
function flood(wire: Wire, role: Role): () => void {
  const [message] = render([binary(noise(1000))], role);
  const timer = setInterval(() => {
    if (Buffer.isBuffer(message) && wire.socket.writable) wire.socket.write(message);
  }, 5);
  return () => clearInterval(timer);
}

/** Lets the connection come to its end: who has to close TCP first depends on the outcome and the role. */
async function finish(
  wire: Wire,
  testCase: FrameCase,
  role: Role,
  log: EndpointLog | undefined,
  watch: Watch,
): Promise<void> {
  const { outcome } = testCase.expect;
  const { kind } = outcome;
  const isFault = kind === 'fail' || (kind === 'local' && outcome.error !== undefined);
  const isOver = (): boolean => wire.end !== 'open';
  const isClosed = (): boolean => log === undefined || log.closes.length > 0;
  if (kind === 'reset') {
    wire.socket.resetAndDestroy();
  } else if (testCase.peer === 'hangs' || testCase.peer === 'floods') {
    const stop = testCase.peer === 'floods' ? flood(wire, role) : undefined;
    try {
      await watch.until(isClosed, "the 'close' event, while the peer keeps TCP open");
      await watch.until(isOver, 'the end of TCP, while the peer keeps it open');
    } finally {
      stop?.();
    }
    wire.socket.destroy();
  } else {
    if (kind === 'cut' || testCase.peer === 'ends') {
      wire.socket.end();
      await watch.until(isOver, 'the end of TCP after ours');
    } else {
      // §7.1.1: the server ends TCP first. A client may, but need not wait for it; after a fault it must not.
      const mayWait = !isFault || testCase.alternatives !== undefined;
      if (role === 'client' && mayWait) {
        await watch.until(() => isOver() || wire.hasClose(), 'the close frame');
        wire.socket.end();
      }
      await watch.until(isOver, 'the end of TCP');
      wire.socket.end();
    }
    await watch.until(() => wire.closed, 'TCP to close on both sides');
  }
  await watch.until(isClosed, "the 'close' event");
}

const observe = (wire: Wire, log: EndpointLog | undefined): Observed => ({
  frames: wire.reader.frames,
  rest: wire.reader.rest,
  end: wire.end,
  received: log?.received ?? [],
  errors: log?.errors ?? [],
  closes: log?.closes ?? [],
  late: log?.late ?? [],
  stateAtClose: log?.stateAtClose,
});

function judge(
  testCase: FrameCase,
  role: Role,
  mode: Mode,
  observed: Observed,
  stuck: string | undefined,
): FrameResult {
  const problems = verify(testCase, testCase.expect, role, mode, observed);
  if (stuck !== undefined) return { problems: [stuck, ...problems] };
  if (problems.length === 0) return { problems };
  for (const { name, expect } of testCase.alternatives ?? [])
    if (verify(testCase, expect, role, mode, observed).length === 0) return { problems: [], alternative: name };
  return { problems };
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Did the other end of the handshake speak of the extension as the row says? @throws {Error} */
function checkExtension({ deflate }: FrameCase, head: Head, role: Role): void {
  const got = headerValues(head, EXTENSIONS.toLowerCase()).join();
  const want = deflate?.answer ?? '';
  if (role === 'server' && normalized(got) !== normalized(want))
    throw new Error(`extensions agreed on: expected ${want || 'none'}, got ${got || 'none'}`);
  if (role === 'client' && deflate !== undefined && !got.startsWith('permessage-deflate'))
    throw new Error(`our client offered ${got || 'nothing'}`);
}

async function runServer(peer: Peer, testCase: FrameCase, mode: Mode, watch: Watch): Promise<FrameResult> {
  const log = mode === 'bare' ? undefined : new EndpointLog(watch, peer);
  const onSocket = log && ((socket: EndpointSocket) => log.attach(socket, testCase.app));
  const listening = await listen(peer, testCase.options ?? {}, watch, onSocket);
  const wire = await dialOrClose(listening, watch);
  let stuck: string | undefined;
  try {
    await sendInput(wire, testCase, 'server', mode, upgradeRequest('/', testCase.deflate?.offer), async () => {
      await watch.until(() => wire.head !== undefined || wire.end !== 'open', 'the response');
      if (!wire.head?.firstLine.startsWith('HTTP/1.1 101')) throw new Error(`refused: ${wire.head?.firstLine}`);
      checkExtension(testCase, wire.head, 'server');
    });
    await finish(wire, testCase, 'server', log, watch);
    if (mode === 'bare') await probe(listening.port, '/', watch);
  } catch (error) {
    stuck = message(error);
    for (const client of listening.server.clients) client.terminate();
  }
  wire.socket.destroy();
  const observed = observe(wire, log);
  try {
    await closeServer(listening, watch);
  } catch (error) {
    stuck ??= message(error);
  }
  return judge(testCase, 'server', mode, observed, stuck);
}

/** A connection to the server; one that nobody gets through to is closed. */
export async function dialOrClose(listening: Listening, watch: Watch): Promise<Wire> {
  try {
    return await dial(listening.port, watch);
  } catch (error) {
    listening.server.close(() => {});
    throw error;
  }
}

/** Is the server still there? */
export async function probe(port: number, path: string, watch: Watch): Promise<void> {
  const wire = await dial(port, watch);
  try {
    await talk(wire, path, watch);
  } finally {
    wire.socket.destroy();
  }
}

async function talk(wire: Wire, path: string, watch: Watch): Promise<void> {
  wire.socket.write(upgradeRequest(path));
  await watch.until(() => wire.head !== undefined || wire.end !== 'open', 'a second connection');
  if (!wire.isFramed() || wire.head === undefined) throw new Error('the server takes no second connection');
  await wire.send(render([text('still there?'), close(1000)], 'server').filter((step) => Buffer.isBuffer(step)));
  await watch.until(() => wire.end !== 'open', 'the end of a second connection');
}

async function runClient(peer: Peer, testCase: FrameCase, mode: Mode, watch: Watch): Promise<FrameResult> {
  const log = mode === 'bare' ? undefined : new EndpointLog(watch, peer);
  const { server, port, wires } = await listenRaw(watch);
  const socket = new peer.WebSocket(`ws://127.0.0.1:${port}/`, [], { ...testCase.options });
  log?.attach(socket, testCase.app);
  let stuck: string | undefined;
  try {
    await watch.until(() => wires[0]?.head !== undefined, 'the request');
    const [wire] = wires;
    if (wire?.head === undefined) throw new Error('no request');
    const [key = ''] = headerValues(wire.head, 'sec-websocket-key');
    checkExtension(testCase, wire.head, 'client');
    const response = switchingProtocols(key, testCase.deflate?.answer);
    await sendInput(wire, testCase, 'client', mode, response, async () => {
      await watch.until(() => log === undefined || log.opened || wire.end !== 'open', "the 'open' event");
    });
    await finish(wire, testCase, 'client', log, watch);
  } catch (error) {
    stuck = message(error);
    // The listener takes the error that ending a half-open client may cause: the case has failed already.
    socket.on('error', () => {});
    socket.terminate();
  }
  const [wire] = wires;
  wire?.socket.destroy();
  server.close();
  if (wire === undefined) return { problems: [stuck ?? 'no connection'] };
  return judge(testCase, 'client', mode, observe(wire, log), stuck);
}

export const runFrames = (
  peer: Peer,
  testCase: FrameCase,
  role: Role,
  mode: Mode,
  watch: Watch,
): Promise<FrameResult> =>
  role === 'server' ? runServer(peer, testCase, mode, watch) : runClient(peer, testCase, mode, watch);
