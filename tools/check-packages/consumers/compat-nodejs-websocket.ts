import type { AddressInfo } from 'node:net';
import ws, { Connection, type Server } from '@ws/compat/nodejs-websocket';

const server: Server = ws.createServer({ validProtocols: ['chat'] }, (conn) => {
  if (!(conn instanceof Connection) || conn.protocol !== 'chat') throw new Error('connection');
  conn.on('text', (text: string) => conn.sendText(text.toUpperCase()));
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.socket.address() as AddressInfo;
  const conn: Connection = ws.connect(`ws://127.0.0.1:${port}/x`, { protocols: ['chat'] }, () => conn.sendText('hi'));
  conn.on('text', (text) => {
    if (text !== 'HI' || server.connections[0]?.path !== '/x') throw new Error('text');
    conn.close(1000, 'done');
    server.close();
  });
});
