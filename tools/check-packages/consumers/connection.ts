import { createPair, WebSocket, type CloseInfo, type RawData } from '@ws/connection';

const { client, server } = createPair();
if (!(client instanceof WebSocket)) throw new Error('instanceof');
server.on('message', (data: RawData, isBinary: boolean) => {
  if (isBinary || String(data) !== 'hello') throw new Error('message');
  server.close(1000, 'seen');
});
client.send('hello');
void client.closed.then(({ code, reason }: CloseInfo) => {
  if (code !== 1000 || reason !== 'seen') throw new Error(`closed with ${code}`);
});
