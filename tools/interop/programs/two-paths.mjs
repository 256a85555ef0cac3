import { createServer } from 'node:http';
import express from 'express';
import { WebSocketServer } from 'ws';

const app = express();
app.get('/', (request, response) => response.send('hello from express'));

const server = createServer(app);
const upper = new WebSocketServer({ noServer: true, handleProtocols: (protocols) => [...protocols].at(-1) });
const count = new WebSocketServer({ noServer: true, maxPayload: 10 });

upper.on('headers', (headers, request) => headers.push(`X-Path: ${request.url}`));
upper.on('connection', (ws) => {
  ws.on('message', (data) => ws.send(String(data).toUpperCase()));
});
count.on('connection', (ws, request, user) => {
  ws.on('error', (error) => console.log(`error ${error.code}`));
  ws.on('close', (code) => console.log(`close ${code}`));
  ws.on('message', (data) => ws.send(`${user} ${data.length}`));
});

server.on('upgrade', function upgrade(request, socket, head) {
  const { pathname } = new URL(request.url, 'wss://base.url');
  if (pathname === '/upper') {
    upper.handleUpgrade(request, socket, head, (ws) => upper.emit('connection', ws, request));
  } else if (pathname === '/count') {
    count.handleUpgrade(request, socket, head, (ws) => count.emit('connection', ws, request, 'somebody'));
  } else {
    socket.destroy();
  }
});

server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
process.once('message', () => {
  for (const wss of [upper, count]) for (const ws of wss.clients) ws.terminate();
  server.close(() => process.disconnect());
});
