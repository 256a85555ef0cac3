import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { runModule } from './child.js';
import { echoServer, wsServer } from './peers.js';

test('the first example of the README', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, example = ''] = /```js\n(.*?)```/s.exec(readme) ?? [];
  const seen: unknown[] = [];
  const { port } = await wsServer({ handleProtocols: (protocols) => [...protocols][0] ?? false }, (peer) => {
    peer.on('message', (data) => {
      seen.push(String(data), peer.protocol);
      peer.send('hello yourself');
    });
    peer.on('close', (code, reason) => seen.push(code, reason.toString()));
  });
  expect(example).toContain('ws://localhost:8080/chat');
  const { output, status } = await runModule(example.replace('localhost:8080', `127.0.0.1:${port}`));
  expect(output).toBe('hello yourself\nclosed 1000 done\n');
  expect(status).toBe(0);
  expect(seen).toEqual(['hello', 'chat.v1', 1000, 'done']);
});

test('the example of WebSocketStream', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, example = ''] = /```js\n(import \{ WebSocketStream \}.*?)```/s.exec(readme) ?? [];
  const { port } = await echoServer();
  expect(example).toContain('ws://localhost:8080/echo');
  const { output, status } = await runModule(example.replace('localhost:8080', `127.0.0.1:${port}`));
  expect([output, status]).toEqual(["hello\n{ closeCode: 4000, reason: 'enough' }\n", 0]);
});
