// A client's messages, each to all, which is himself alone: CPU for each, both ends together. `node bench/wesos.mjs [length]`, after a build.
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect } from 'node:net';
import { createServer } from '@ws/compat/wesos';
import { WebSocketServer } from '@ws/server';

const LENGTH = Number(process.argv[2] ?? 125);
const COUNT = 50_000;
const REQUEST = `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;

/** @type {Record<string, (http: import('node:http').Server) => void>} */
const RELAYS = {
  wesos: (http) => void createServer((wsocket, wserver) => void wsocket.pipe(wserver)).listen(http),
  'core, as streams': (http) => core(http, 'stream'),
  'core, whole': (http) => core(http, 'buffer'),
};

/** @param {import('node:http').Server} http @param {'stream' | 'buffer'} incoming */
function core(http, incoming) {
  const server = new WebSocketServer({ server: http, incoming });
  server.on('connection', (socket) => socket.messages().pipe(server.messages));
}

function message() {
  const header = LENGTH < 126 ? [0x82, 0x80 | LENGTH] : [0x82, 0xfe, LENGTH >> 8, LENGTH & 0xff];
  return Buffer.concat([Buffer.from([...header, 0, 0, 0, 0]), Buffer.alloc(LENGTH, 7)]);
}

for (let round = 0; round < 3; round++) {
  for (const [name, listen] of Object.entries(RELAYS)) {
    const http = createHttpServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    listen(http);
    const { port } = http.address();
    const socket = connect(port, '127.0.0.1');
    socket.write(REQUEST);
    await once(socket, 'data');
    const all = Buffer.concat(Array.from({ length: COUNT }, message));
    const before = process.cpuUsage();
    socket.write(all);
    for (let left = all.length - 4 * COUNT; left > 0;) left -= (await once(socket, 'data'))[0].length;
    const { user, system } = process.cpuUsage(before);
    console.log(`${name}: ${((user + system) / COUNT).toFixed(1)} us a message`);
    socket.destroy();
    http.close();
  }
}
