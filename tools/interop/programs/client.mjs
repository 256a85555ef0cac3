import WebSocket from 'ws';

const [address] = process.argv.slice(2);
const ws = new WebSocket(address, ['b', 'a'], {
  followRedirects: true,
  maxRedirects: 3,
  headers: { authorization: 'secret', 'x-mine': '1' },
  handshakeTimeout: 5000,
  perMessageDeflate: false,
});

ws.on('redirect', (url) => console.log(`redirect ${new URL(url).pathname}`));
ws.on('upgrade', (response) => console.log(`upgrade ${response.statusCode}`));
ws.on('unexpected-response', (_request, response) => {
  console.log(`unexpected ${response.statusCode}`);
  ws.terminate();
});
ws.on('error', (error) => console.log(`error ${error.message}`));
ws.on('open', function open() {
  console.log(`open ${ws.protocol} ${new URL(ws.url).pathname} ${ws.readyState} ${JSON.stringify(ws.extensions)}`);
  const array = new Float32Array(5);
  for (let i = 0; i < array.length; ++i) array[i] = i / 2;
  ws.send(array);
  ws.send('something');
  ws.ping('p');
});
ws.on('pong', (data) => console.log(`pong ${data}`));
ws.on('message', (data, isBinary) => {
  console.log(`message ${isBinary ? data.toString('hex') : data}`);
  if (!isBinary) ws.close(3000, 'enough');
});
ws.on('close', (code, reason) => console.log(`close ${code} ${reason} ${ws.readyState}`));
