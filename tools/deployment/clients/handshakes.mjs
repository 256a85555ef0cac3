// Opens TLS connections, each with an opening and a closing handshake, and resumes a session where it is told to.
import { once } from 'node:events';
import { connect } from 'node:tls';

/** @typedef {{ seconds: number, resume: boolean }} Question @typedef {{ connections: number, resumed: number }} Answer */

const { port } = /** @type {{ port: number }} */ (JSON.parse(process.argv[2] ?? '{}'));
const AT_A_TIME = 16;

const REQUEST = [
  'GET / HTTP/1.1',
  `Host: 127.0.0.1:${port}`,
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');
/** Close 1000, masked with zeros. */
const CLOSE = Buffer.of(0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8);

/** One connection. @param {Buffer | undefined} session */
async function open(session) {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...(session && { session }) });
  /** @type {Buffer | undefined} */
  let ticket;
  socket.on('session', (each) => (ticket = each));
  socket.write(REQUEST);
  const [answer] = await once(socket, 'data');
  if (!answer.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error('no 101');
  const resumed = socket.isSessionReused();
  socket.end(CLOSE);
  socket.resume();
  await once(socket, 'close');
  return { resumed, ticket };
}

process.on('message', (/** @type {Question} */ { seconds, resume }) => {
  void run(seconds, resume).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port });

/** @param {number} seconds @param {boolean} resume @returns {Promise<Answer>} */
async function run(seconds, resume) {
  const session = resume ? (await open(undefined)).ticket : undefined;
  const end = performance.now() + seconds * 1000;
  const counts = { connections: 0, resumed: 0 };
  const line = async () => {
    while (performance.now() < end) {
      const { resumed } = await open(session);
      counts.connections++;
      if (resumed) counts.resumed++;
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, line));
  return counts;
}
