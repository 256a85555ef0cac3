import { duplexPair, type Readable, type Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import ws, {
  Connection,
  connect,
  createServer,
  frame,
  InStream,
  OutStream,
  Server,
} from '../../src/nodejs-websocket/index.js';

// What compiles, and what does not. Of this nothing is run.
const documented = (): void => {
  createServer();
  createServer((conn) => conn.sendText('x'));
  createServer({});
  createServer({ secure: true, key: 'key', cert: 'cert', ca: [], allowHalfOpen: true }, (conn: Connection) =>
    conn.close(),
  );
  createServer({ validProtocols: ['a'] });
  createServer({ selectProtocol: (conn, protocols) => (conn.path === '/' ? protocols[0] : undefined) });
  createServer({ selectProtocol: () => null });
  // @ts-expect-error -- a list
  createServer({ validProtocols: 'a' });
  // @ts-expect-error -- a string, or nothing
  createServer({ selectProtocol: () => 1 });
  // @ts-expect-error -- a function
  createServer({}, 'callback');

  const server: Server = new Server(false, {}, (conn) => conn.send('x')).listen(8001);
  new Server(true, (conn: Connection) => conn.send('x')).listen(8001, '127.0.0.1').listen(1, () => undefined);
  server.listen(8001, '127.0.0.1', () => undefined).close();
  server.close(() => server.socket.address());
  server.on('connection', (conn) => conn.sendText(conn.path ?? '')).on('error', (error) => error.message);
  server.connections.forEach((conn) => conn.sendText('x'));
  // @ts-expect-error -- there is no such event
  server.on('message', () => undefined);
  // @ts-expect-error -- a boolean first
  void new Server({});

  const conn = connect('ws://localhost:8001');
  connect('ws://localhost', () => undefined);
  connect('ws://localhost', {
    extraHeaders: { 'X-Name': 'value' },
    protocols: ['a'],
    rejectUnauthorized: false,
    localAddress: '::1',
  });
  connect('ws://localhost', {}, function () {
    this.sendText('x');
  });
  // @ts-expect-error -- an address
  connect(8001);
  // @ts-expect-error -- a list
  connect('ws://localhost', { protocols: 'a' });
  // @ts-expect-error -- an object
  connect('ws://localhost', { extraHeaders: 'X-Name: value' });

  const sent: boolean | undefined = conn.sendText('x', () => undefined);
  ['a', 'b'].forEach(conn.sendText, conn);
  conn.sendBinary(Buffer.alloc(1), (error) => error?.message);
  conn.sendBinary(new Uint16Array(1));
  conn.send(sent ? 'x' : Buffer.alloc(1), () => undefined);
  conn.sendPing();
  conn.sendPing('x');
  conn.close();
  conn.close(1000);
  conn.close(1000, 'x');
  const out: OutStream | undefined = conn.beginBinary();
  out?.write('x');
  const writable: Writable = new OutStream(conn, 1024);
  writable.end();
  // @ts-expect-error -- text
  conn.sendText(1);
  // @ts-expect-error -- bytes
  conn.sendBinary('x');
  // @ts-expect-error -- one of the two
  conn.send({});
  // @ts-expect-error -- a number
  conn.close('x');
  // @ts-expect-error -- it is read
  conn.readyState = 1;

  conn.on('connect', () => undefined).on('close', (code, reason) => `${code.toFixed()} ${reason.trim()}`);
  conn
    .on('error', (error) => error.message)
    .on('text', (text) => text.trim())
    .on('pong', (data) => data.trim());
  conn.on('binary', (message) => {
    let data = Buffer.alloc(0);
    message.on('readable', () => {
      const part: Buffer | null = message.read(); // as of any Readable
      if (part) data = Buffer.concat([data, part]);
    });
    message.setEncoding('utf8').on('end', () => (message.read() as string | null)?.trim());
  });
  // @ts-expect-error -- a string
  conn.on('text', (text: Buffer) => text);
  const state: 0 | 1 | 2 | 3 = conn.readyState;
  const { CONNECTING, OPEN, CLOSING, CLOSED } = conn;
  ({ 0: CONNECTING, 1: OPEN, 2: CLOSING, 3: CLOSED })[state].toFixed();
  const known: [
    Server | null,
    string | null,
    string | null,
    string | string[] | undefined,
    string[],
    string | undefined,
  ] = [conn.server, conn.path, conn.host, conn.headers['x-name'], conn.protocols, conn.protocol];
  known[4].push(conn.socket.remoteAddress ?? '');

  const [near, far] = duplexPair();
  void new Connection(near, server, () => undefined);
  void new Connection(far, { path: '/', host: 'localhost', extraHeaders: {}, protocols: ['a'] }, () => undefined);
  // @ts-expect-error -- a host
  void new Connection(far, { path: '/' });

  const readable: Readable = new InStream();
  (readable as InStream).addData(Buffer.alloc(1));

  ws.setBinaryFragmentation(1024);
  ws.setMaxBufferLength(1024);
  Connection.binaryFragmentation = 1024;
  Connection.maxBufferLength = 1024;
  // @ts-expect-error -- a number
  ws.setMaxBufferLength('1 MiB');

  const bytes: Buffer[] = [
    frame.createTextFrame('x', true),
    frame.createBinaryFrame(Buffer.alloc(1), true, true, false),
    frame.createCloseFrame(1000, 'x', true),
    frame.createCloseFrame(),
    frame.createPingFrame('x', true),
    frame.createPongFrame(Buffer.alloc(1)),
  ];
  bytes.pop();
  // @ts-expect-error -- text
  frame.createTextFrame(Buffer.alloc(1));
};

test('it is compiled with the tests', () => {
  expect(documented).toBeInstanceOf(Function);
});
