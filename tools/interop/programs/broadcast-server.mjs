import { WebSocket, WebSocketServer } from 'ws';

const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', clientTracking: true });

wss.on('listening', () => console.log(`listening ${wss.address().port}`));

wss.on('connection', function connection(ws) {
  ws.isAlive = true;
  ws.on('error', console.error);
  ws.on('pong', () => {
    ws.isAlive = true;
  });
  ws.onmessage = ({ data, target, type }) => {
    console.log(type, data, target === ws);
    wss.clients.forEach(function each(client) {
      if (client !== ws && client.readyState === WebSocket.OPEN) client.send(data, { binary: false });
    });
  };
  ws.addEventListener('close', ({ code, reason, wasClean }) => {
    console.log('close', code, reason, wasClean, wss.clients.size);
    if (wss.clients.size === 0) wss.close();
  });
});

wss.on('close', () => console.log('closed'));
