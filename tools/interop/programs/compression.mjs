import { constants } from 'node:zlib';
import WebSocket from 'ws';
import { WebSocketServer } from 'ws';

const zlib = {
  zlibDeflateOptions: { chunkSize: 1024, memLevel: 7, level: 3, strategy: constants.Z_DEFAULT_STRATEGY },
  zlibInflateOptions: { chunkSize: 10 * 1024 },
  concurrencyLimit: 10,
};
const wss = new WebSocketServer({
  port: 0,
  host: '127.0.0.1',
  perMessageDeflate: {
    ...zlib,
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 10,
    clientMaxWindowBits: 12,
    threshold: 1024,
  },
});
wss.on('headers', function agreed(headers) {
  const [name, value] = headers.find((line) => /^sec-websocket-extensions:/i.test(line)).split(': ');
  console.log(`headers ${name} ${value.split('; ').sort().join(' ')}`);
});
wss.on('connection', function connection(ws) {
  console.log(`server ${ws.extensions}`);
  ws.on('error', (error) => console.log(`error ${error.code}`));
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary, compress: data.at(-1) !== 33 }));
});

const json = JSON.stringify(Array.from({ length: 1000 }, (_, id) => ({ id, name: `user ${id}`, active: true })));
const messages = ['short', json.slice(0, 1023), json.slice(0, 1024), json, `${json}!`, Buffer.alloc(100_000, json)];
messages.push('', '-'.repeat(1_000_000));

/** Bytes that came in since the last call. */
let total = 0;
let wire;
const arrived = () => -total + (total = wire.bytesRead);

wss.on('listening', function listening() {
  const ws = new WebSocket(`ws://127.0.0.1:${wss.address().port}`, {
    perMessageDeflate: { ...zlib, serverMaxWindowBits: 11, clientMaxWindowBits: 13, threshold: 0 },
  });
  const [first, ...rest] = messages;
  ws.on('upgrade', (response) => (wire = response.socket));
  ws.on('error', (error) => console.log(`error ${error.message}`));
  ws.on('open', function open() {
    console.log(`client ${ws.extensions}`);
    arrived();
    ws.send(first, { compress: true });
  });
  let last = first;
  ws.on('message', (data, isBinary) => {
    const how = arrived() < data.length ? 'compressed' : 'plain';
    console.log(`${isBinary ? 'binary' : 'text'} ${data.length} ${how} ${data.equals(Buffer.from(last))}`);
    last = rest.shift();
    if (last === undefined) return ws.close(1000);
    ws.send(last);
  });
  ws.on('close', (code) => wss.close(() => console.log(`closed ${code}`)));
});
