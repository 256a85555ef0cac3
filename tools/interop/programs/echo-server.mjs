import { WebSocketServer } from 'ws';

const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
  console.log(`listening ${wss.address().port}`);
});

wss.on('connection', function connection(ws, request) {
  console.log(`connection ${request.url}`);
  ws.on('error', (error) => console.log(`error ${error.code}`));
  ws.on('ping', (data) => console.log(`ping ${data}`));
  ws.on('message', function message(data, isBinary) {
    console.log(`message ${isBinary ? data.length : data}`);
    ws.send(data, { binary: isBinary }, (error) => console.log(`sent ${error ?? ''}`));
  });
  ws.on('close', (code, reason) => {
    console.log(`close ${code} ${reason}`);
    wss.close(() => console.log('closed'));
  });
});
