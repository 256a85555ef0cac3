import { inflaterFor, normalized } from './agreement.js';
import type { HeaderRules, RequestCase, ResponseCase, Role } from './case.js';
import { closeServer, EndpointLog, listen, type EndpointSocket, type Peer } from './endpoint.js';
import { close, render, squeezed, text } from './input.js';
import { readMessages } from './messages.js';
import { cut, type Mode } from './modes.js';
import { acceptFor, dialOrClose, probe, type FrameResult } from './run-frames.js';
import type { Uncaught } from './uncaught.js';
import type { Watch } from './watch.js';
import { headerValues, listenRaw, parseHead, type Head, type Wire } from './wire.js';

// Runs one handshake case, of either end, in one mode and judges it.

const fill = (template: string | Uint8Array, name: string, value: string): Buffer =>
  typeof template === 'string' ? Buffer.from(template.replaceAll(name, value), 'latin1') : Buffer.from(template);

const EXTENSIONS = 'sec-websocket-extensions';

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function checkHeaders(head: Head, rules: HeaderRules): string[] {
  const problems: string[] = [];
  for (const [name, wanted] of Object.entries(rules)) {
    const values = headerValues(head, name);
    // Blanks behind the commas of a list are a matter of taste.
    const plain = name === EXTENSIONS ? normalized : (value: string): string => value.replaceAll(', ', ',');
    const got = values.map(plain);
    if (wanted === null ? got.length > 0 : got.length !== 1 || got[0] !== plain(wanted))
      problems.push(`header ${name}: expected ${wanted ?? 'none'}, got ${values.join(' | ') || 'none'}`);
  }
  return problems;
}

/** The elements of a list header, in lower case. */
const listOf = (head: Head, name: string): string[] =>
  headerValues(head, name)
    .join()
    .split(',')
    .map((element) => element.trim().toLowerCase());

const statusOf = (head: Head): number =>
  /^HTTP\/1\.1 \d{3} /.test(head.firstLine) ? Number(head.firstLine.slice(9, 12)) : 0;

const GREETING = 'good morning';

/** §7.2.3.1 of RFC 7692 */
const COMPRESSED_HELLO = 'f2 48 cd c9 c9 07 00';

/**
 * The frames that show that a handshake did open a connection: a message, where permessage-deflate was agreed on a
 * compressed one, then the closing handshake.
 */
const conversation = (role: Role, answer: string | undefined): Buffer => {
  const input = [text(GREETING), ...(answer === undefined ? [] : [squeezed(1, COMPRESSED_HELLO)]), close(1000)];
  return Buffer.concat(render(input, role).filter((step) => Buffer.isBuffer(step)));
};

function checkConversation(wire: Wire, role: Role, answer: string | undefined, mode: Mode): string[] {
  const { frames } = wire.reader;
  const { messages, problems } = readMessages(frames, answer === undefined ? undefined : inflaterFor(answer, role));
  const got = [
    ...messages.map(({ opcode, data }) => `${opcode} ${data.toString('latin1')}`),
    ...frames
      .filter(({ opcode }) => opcode > 0x2)
      .map(({ opcode, payload }) => `${opcode} ${payload.toString('latin1')}`),
  ];
  const echoes = [`1 ${GREETING}`, ...(answer === undefined ? [] : ['1 Hello'])];
  const want = [...(mode === 'bare' ? [] : echoes), '8 \u0003\u00e8'];
  if (got.join() !== want.join()) problems.push(`frames after the handshake: ${JSON.stringify(got)}`);
  return problems;
}

const checkInUse = ({ extensions }: EndpointSocket, deflate: string | undefined): string[] =>
  extensions.startsWith('permessage-deflate') === (deflate !== undefined) ? [] : [`extensions "${extensions}"`];

function checkAnswer(testCase: RequestCase, request: Buffer, wire: Wire, connections: number | undefined): string[] {
  const { expect } = testCase;
  const { head } = wire;
  if (head === undefined) return expect.status.length > 0 ? ['no response'] : [];
  const status = statusOf(head);
  const problems = checkHeaders(head, expect.headers ?? {});
  if (expect.status.length > 0 && !expect.status.includes(status))
    problems.push(`status ${status}, expected ${expect.status.join(' or ')}`);
  if (connections !== undefined && connections !== (status === 101 ? 1 : 0))
    problems.push(`${connections} 'connection' events`);
  if (status === 101) {
    const [key = ''] = headerValues(parseHead(request.toString('latin1')), 'sec-websocket-key');
    problems.push(...checkHeaders(head, { 'sec-websocket-accept': acceptFor(key) }));
    if (headerValues(head, 'upgrade').join().toLowerCase() !== 'websocket') problems.push('§4.2.2: no Upgrade header');
    if (headerValues(head, 'connection').join().toLowerCase() !== 'upgrade')
      problems.push('§4.2.2: no Connection header');
  } else {
    const [length] = headerValues(head, 'content-length');
    if (length !== undefined && wire.body.length !== Number(length) && !request.toString().startsWith('HEAD'))
      problems.push(`a body of ${wire.body.length} bytes, Content-Length ${length}`);
    if (expect.ends !== false && !listOf(head, 'connection').includes('close'))
      problems.push('RFC 9112 §9.6: the response does not say Connection: close');
    if (expect.body !== undefined && !wire.body.includes(expect.body)) problems.push(`no "${expect.body}" in the body`);
  }
  return problems;
}

const isWholeResponse = (wire: Wire): boolean => {
  if (wire.head === undefined) return false;
  const [length] = headerValues(wire.head, 'content-length');
  return length !== undefined && wire.body.length >= Number(length);
};

/** A byte of a never-ending header every few milliseconds, for as long as the other end takes them. */
function drip(wire: Wire): () => void {
  const timer = setInterval(() => wire.socket.write('x'), 5);
  return () => clearInterval(timer);
}

export async function runRequest(peer: Peer, testCase: RequestCase, mode: Mode, watch: Watch): Promise<FrameResult> {
  const log = new EndpointLog(watch, peer);
  let connections = 0;
  const listening = await listen(
    peer,
    testCase.options ?? {},
    watch,
    mode === 'bare'
      ? undefined
      : (socket) => {
          connections++;
          log.attach(socket, undefined);
        },
  );
  const wire = await dialOrClose(listening, watch);
  const request = fill(testCase.request, '{host}', `127.0.0.1:${listening.port}`);
  const problems: string[] = [];
  let stopDripping: (() => void) | undefined;
  try {
    const opens = testCase.expect.status.includes(101);
    const deflate = testCase.expect.headers?.[EXTENSIONS] ?? undefined;
    const talk = conversation('server', deflate);
    const isGlued = mode === 'glued' && opens;
    await wire.send(isGlued ? [Buffer.concat([request, talk])] : cut(request, mode, testCase.id));
    if (testCase.then === 'fin') wire.socket.end();
    if (testCase.then === 'reset') wire.socket.resetAndDestroy();
    if (testCase.then === 'drip') stopDripping = drip(wire);
    const mayStay = testCase.expect.ends === false;
    const isAnswered = (): boolean => wire.isFramed() && wire.head !== undefined;
    const isOver = (): boolean => wire.end !== 'open' || wire.closed || (mayStay && isWholeResponse(wire));
    await watch.until(() => isOver() || isAnswered(), 'a response and the end of TCP');
    if (opens && isAnswered()) {
      if (!isGlued) await wire.send(cut(talk, mode, testCase.id));
      await watch.until(() => wire.end !== 'open', 'the end of TCP after the closing handshake');
      problems.push(...checkConversation(wire, 'server', deflate, mode));
      if (log.socket !== undefined) problems.push(...checkInUse(log.socket, deflate));
    }
    problems.push(...checkAnswer(testCase, request, wire, mode === 'bare' ? undefined : connections));
    // What is sent behind an answer with which TCP ends is answered with a reset, which may be seen first. RFC 9112 §9.6
    const headEnd = request.indexOf('\r\n\r\n');
    const isSentLate = testCase.then === 'drip' || (headEnd >= 0 && headEnd + 4 < request.length);
    if (wire.end === 'reset' && testCase.then !== 'reset' && !isSentLate) problems.push('TCP: reset');
    if (!wire.closed && testCase.then !== 'fin') wire.socket.end();
    await probe(listening.port, testCase.options?.path ?? '/', watch);
  } catch (error) {
    problems.push(message(error));
  }
  stopDripping?.();
  wire.socket.destroy();
  for (const client of listening.server.clients) client.terminate();
  try {
    await closeServer(listening, watch);
  } catch (error) {
    problems.push(message(error));
  }
  return { problems };
}

const KEY_LENGTH = 24;

/** What every opening request has to carry (§4.1), beside what the row names. */
function checkRequest(testCase: ResponseCase, head: Head, port: number): string[] {
  const problems = checkHeaders(head, {
    host: `127.0.0.1:${port}`,
    'sec-websocket-version': '13',
    ...testCase.request?.headers,
  });
  const line = testCase.request?.line ?? `GET ${testCase.target ?? '/'} HTTP/1.1`;
  if (head.firstLine !== line) problems.push(`request line: expected ${line}, got ${head.firstLine}`);
  const [key = '', ...more] = headerValues(head, 'sec-websocket-key');
  if (key.length !== KEY_LENGTH || Buffer.from(key, 'base64').length !== 16 || more.length > 0)
    problems.push(`§4.1: the key is not 16 bytes in base64: ${key}`);
  if (headerValues(head, 'upgrade').join().toLowerCase() !== 'websocket') problems.push('§4.1: no Upgrade: websocket');
  if (headerValues(head, 'connection').join().toLowerCase() !== 'upgrade')
    problems.push('§4.1: no Connection: Upgrade');
  return problems;
}

function checkFailure(codes: readonly string[] | 'any', errors: readonly string[], peer: Peer): string[] {
  const [code, ...more] = errors;
  if (code === undefined) return ["no 'error'"];
  if (more.length > 0) return [`${errors.length} 'error' events: ${errors.join(', ')}`];
  if (!peer.handshakeCodes) return [];
  const fits = codes === 'any' ? !code.startsWith('no code') : codes.includes(code);
  return fits ? [] : [`'error' with ${code}, expected ${codes === 'any' ? 'some code' : codes.join(' or ')}`];
}

export async function runResponse(
  peer: Peer,
  testCase: ResponseCase,
  mode: Mode,
  watch: Watch,
  uncaught: Uncaught,
): Promise<FrameResult> {
  const { expect } = testCase;
  const { server, port, wires } = await listenRaw(watch);
  const log = new EndpointLog(watch, peer);
  const url = `ws://127.0.0.1:${port}${testCase.target ?? '/'}`;
  const socket = new peer.WebSocket(url, testCase.offered ?? [], { ...testCase.options });
  if (mode !== 'bare') log.attach(socket, undefined);
  const problems: string[] = [];
  try {
    await watch.until(() => wires[0]?.head !== undefined, 'the request');
    const [wire] = wires;
    if (wire?.head === undefined) throw new Error('no request');
    problems.push(...checkRequest(testCase, wire.head, port));
    const [key = ''] = headerValues(wire.head, 'sec-websocket-key');
    const response = fill(testCase.response, '{accept}', acceptFor(key));
    const isGlued = mode === 'glued' && expect.kind === 'open';
    const deflate = expect.kind === 'open' ? expect.deflate : undefined;
    const talk = conversation('client', deflate);
    await wire.send(isGlued ? [Buffer.concat([response, talk])] : cut(response, mode, testCase.id));
    if (testCase.then === 'fin') wire.socket.end();
    if (testCase.then === 'reset') wire.socket.resetAndDestroy();
    if (expect.kind === 'open') {
      await watch.until(() => mode === 'bare' || log.opened || wire.end !== 'open', "the 'open' event");
      if (mode !== 'bare' && socket.protocol !== expect.protocol) problems.push(`protocol "${socket.protocol}"`);
      if (mode !== 'bare') problems.push(...checkInUse(socket, deflate));
      if (!isGlued) await wire.send(cut(talk, mode, testCase.id));
      await watch.until(() => wire.hasClose() || wire.end !== 'open', 'the close frame');
      wire.socket.end();
      await watch.until(() => wire.end !== 'open', 'the end of TCP');
      problems.push(...checkConversation(wire, 'client', deflate, mode));
      if (log.errors.length > 0) problems.push(`'error' with ${log.errors.join()}`);
    } else if (mode === 'bare') {
      // A client's failed connect throws when nobody listens, as an unhandled 'error' does everywhere in Node.
      await watch.until(() => uncaught.errors.length > 0, "the unhandled 'error'");
      const codes = uncaught.errors.splice(0).map(({ code, message: why }) => code ?? `no code: ${why}`);
      problems.push(...checkFailure(expect.codes, codes, peer));
      await watch.until(() => wire.end !== 'open' || wire.closed, 'the end of TCP');
    } else {
      await watch.until(() => log.closes.length > 0, "the 'close' event");
      await watch.until(() => wire.end !== 'open' || wire.closed, 'the end of TCP');
      problems.push(...checkFailure(expect.codes, log.errors, peer));
      const closes = log.closes.map(({ code, reason }) => `${code} ${reason}`).join();
      if (closes !== '1006 ') problems.push(`'close' with ${closes}`);
      if (log.opened) problems.push("'open' was emitted");
      if (log.stateAtClose !== 3) problems.push(`readyState ${log.stateAtClose} at 'close'`);
    }
  } catch (error) {
    problems.push(message(error));
    socket.on('error', () => {});
    socket.terminate();
  }
  wires[0]?.socket.destroy();
  server.close();
  return { problems };
}
