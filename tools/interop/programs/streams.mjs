import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import WebSocket, { createWebSocketStream } from 'ws';
import { WebSocketServer } from 'ws';

/** Errors that have a code in ours alone; what they say is the same. */
const OURS = new Set(['WS_ERR_ABORTED', 'WS_ERR_CLOSED']);

// What a program sees of createWebSocketStream: each case is a socket to a server here, and prints its own end and then the server's.
const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await once(wss, 'listening');
const url = `ws://127.0.0.1:${wss.address().port}`;
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

function watch(duplex, say) {
  for (const name of ['end', 'finish', 'close']) duplex.on(name, () => say(name));
  duplex.on('error', ({ code, message }) =>
    say(`error ${code?.startsWith('WS_') && !OURS.has(code) ? code : message}`),
  );
}

const cases = {
  async 'data as it is read by default'({ duplex, peer, say }) {
    duplex.on('data', (chunk) => say(`${Buffer.isBuffer(chunk)} ${chunk}`));
    for (const message of ['text', Buffer.from('binary'), '', 'last']) peer.send(message);
    peer.close(1000);
    await once(duplex, 'end');
  },
  async 'data with an encoding'({ duplex, peer, say }) {
    duplex.on('data', (chunk) => say(`${typeof chunk} ${chunk}`));
    for (const message of ['text', Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)]) peer.send(message);
    peer.close(1000);
    await once(duplex, 'end');
  },
  async 'data with readableObjectMode'({ duplex, peer, say }) {
    duplex.on('data', (chunk) => say(`${typeof chunk} ${chunk}`));
    for (const message of ['text', Buffer.from('binary'), '', 'last']) peer.send(message);
    peer.close(1000);
    await once(duplex, 'end');
  },
  async 'objectMode has no effect'({ duplex, say }) {
    say(
      `${duplex.readableObjectMode} ${duplex.writableObjectMode} ${duplex.readableHighWaterMark} ${duplex.writableHighWaterMark}`,
    );
    for (const wrong of [{}, 5]) {
      try {
        duplex.write(wrong);
      } catch ({ code }) {
        say(`throws ${code}`);
      }
    }
    duplex.resume().end();
    await once(duplex, 'close');
  },
  async 'what is written'({ duplex, say }) {
    duplex.resume();
    duplex.write('é');
    duplex.write(Buffer.from('b'));
    duplex.write(new Uint8Array([65]));
    duplex.write('6869', 'hex');
    duplex.write('', () => say('written'));
    duplex.end('last', () => say('ended'));
    await once(duplex, 'close');
  },
  async 'what is written with decodeStrings: false'({ duplex }) {
    duplex.resume();
    duplex.write('é');
    duplex.write(Buffer.from('b'));
    duplex.write('6869', 'hex');
    duplex.end();
    await once(duplex, 'close');
  },
  async 'what is written together'({ duplex }) {
    duplex.resume().cork();
    duplex.write('a');
    duplex.write('b');
    duplex.end('c');
    duplex.uncork();
    await once(duplex, 'close');
  },
  async 'end() while nobody reads'({ duplex, socket }) {
    duplex.end('a');
    await once(socket, 'close');
    await turn();
  },
  async 'the peer closes'({ duplex, peer, socket }) {
    duplex.resume();
    peer.close(4000, 'why');
    await once(duplex, 'end');
    if (socket.readyState !== WebSocket.CLOSED) await once(socket, 'close');
    await turn();
  },
  async 'the peer closes with allowHalfOpen: false'({ duplex, peer }) {
    duplex.resume();
    peer.close();
    await once(duplex, 'close');
  },
  async 'the peer closes, and what came is read later'({ duplex, peer, socket, say }) {
    peer.send('unread');
    peer.close(1000);
    await once(socket, 'close');
    await turn();
    for await (const chunk of duplex) say(String(chunk));
  },
  async 'the peer cuts the connection'({ duplex, peer }) {
    duplex.resume();
    peer.terminate();
    await once(duplex, 'end');
  },
  async 'the peer breaks the protocol'({ duplex, raw }) {
    duplex.resume();
    raw.write(Buffer.from('8300', 'hex'));
    await once(duplex, 'close');
  },
  async 'writing behind the end'({ duplex, peer, say }) {
    duplex.resume();
    peer.close();
    await once(duplex, 'end');
    say(`${duplex.writable} ${duplex.destroyed}`);
    duplex.write('late', ({ message }) => say(message));
    await once(duplex, 'close');
  },
  async 'the socket is closed by hand'({ duplex, socket }) {
    duplex.resume();
    socket.close(1000);
    duplex.end();
    await once(duplex, 'close');
  },
  async 'the socket is terminated by hand'({ duplex, socket }) {
    duplex.resume();
    socket.terminate();
    await once(duplex, 'end');
  },
  async 'destroy()'({ duplex }) {
    duplex.destroy();
    await once(duplex, 'close');
  },
  async 'destroy(error)'({ duplex }) {
    duplex.destroy(new Error('mine'));
    await once(duplex, 'close');
  },
  async 'an AbortSignal'({ duplex }) {
    abort.abort();
    await once(duplex, 'close');
  },
  async 'writing and ending while connecting'({ duplex, socket, say }) {
    say(socket.readyState);
    duplex.resume().write('a');
    duplex.end('b');
    await once(duplex, 'close');
  },
  async 'destroy() while connecting'({ duplex, socket, say }) {
    say(socket.readyState);
    duplex.destroy();
    await once(duplex, 'close');
  },
  async 'close() while connecting'({ duplex, socket, say }) {
    say(socket.readyState);
    socket.close();
    await once(duplex, 'close');
  },
  async 'nobody listens at the address'({ duplex }) {
    duplex.write('never');
    await once(duplex, 'close');
  },
  async 'pipes, more than fits anywhere'({ duplex, peer, say }) {
    const echo = createWebSocketStream(peer);
    echo.pipe(echo);
    const part = Buffer.alloc(60_000, 'part');
    let received = 0;
    duplex.on('data', ({ length }) => {
      received += length;
      if (received === 100 * part.length) duplex.end();
    });
    await pipeline(Readable.from(Array(100).fill(part)), duplex, { end: false });
    await once(duplex, 'close');
    say(received);
  },
  async 'a peer that does not read'({ duplex, peer, say }) {
    peer.pause();
    duplex.resume();
    let written = 0;
    const part = Buffer.alloc(1_000_000);
    while (written < 100 && duplex.write(part)) written++;
    let isFree = false;
    duplex.once('drain', () => (isFree = true));
    for (let idle = 0; idle < 10; idle++) {
      if (isFree && written < 100) {
        isFree = duplex.write(part);
        if (!isFree) duplex.once('drain', () => (isFree = true));
        written++;
        idle = 0;
      }
      await turn();
    }
    say(written < 50 ? 'stopped' : `went on: ${written}`);
    duplex.destroy();
    peer.resume();
    await once(duplex, 'close');
  },
  async 'nobody reads, and the peer stops'({ duplex, peer, say }) {
    const part = Buffer.alloc(1_000_000);
    let sent = 0;
    for (let idle = 0; idle < 10 && sent < 100; idle++) {
      while (peer.bufferedAmount === 0 && sent < 100) {
        peer.send(part);
        sent++;
        idle = 0;
      }
      await turn();
    }
    say(sent < 50 ? 'stopped' : `went on: ${sent}`);
    duplex.destroy();
    await once(duplex, 'close');
  },
};

const abort = new AbortController();
const options = {
  'data with an encoding': { encoding: 'utf8' },
  'data with readableObjectMode': { readableObjectMode: true },
  'objectMode has no effect': { objectMode: true, highWaterMark: 1000 },
  'what is written with decodeStrings: false': { decodeStrings: false },
  'the peer closes with allowHalfOpen: false': { allowHalfOpen: false },
  'an AbortSignal': { signal: abort.signal },
};
const connecting = Object.keys(cases).filter((name) => name.includes('while connecting'));

for (const [name, run] of Object.entries(cases)) {
  const [ours, theirs] = [[], []];
  const say = (line) => ours.push(`  ${line}`);
  let end;
  let raw;
  const connection = new Promise((resolve) => {
    wss.once('connection', (peer, request) => {
      raw = request.socket;
      peer.on('error', () => {});
      peer.on('message', (data, isBinary) => {
        if (data.length < 100) theirs.push(`  peer: ${isBinary ? 'binary' : 'text'} ${data}`);
      });
      end = once(peer, 'close').then(([code, reason]) => theirs.push(`  peer: close ${code} ${reason}`));
      resolve(peer);
    });
  });
  const socket = new WebSocket(name === 'nobody listens at the address' ? 'ws://127.0.0.1:1' : url);
  const duplex = createWebSocketStream(socket, options[name]);
  watch(duplex, say);
  let peer;
  if (!connecting.includes(name) && !name.startsWith('nobody listens'))
    [peer] = await Promise.all([connection, once(socket, 'open')]);
  await run({ duplex, socket, peer, raw, say }).catch(
    ({ code, message }) => (code === undefined || OURS.has(code)) && say(message),
  );
  await turn();
  wss.removeAllListeners('connection');
  socket.terminate();
  await end;
  console.log([name, ...ours, ...theirs].join('\n'));
}
wss.close();
