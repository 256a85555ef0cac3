// From a chunk to the listener, and back into a write: what one message of 16 in a chunk costs a connection itself.
import { PreparedMessage } from '@ws/connection';
import { echo, receiving } from './echo-socket.mjs';

const prepared = new PreparedMessage(Buffer.alloc(16, 'a'));
let heard = 0;

/** @type {import('./cases.mjs').Cases} */
export const cases = [
  receiving('received, nobody answers', {}, (socket) => socket.on('message', () => heard++)),
  receiving('echo 16 B', {}, echo),
  receiving('echo 1 KiB', {}, echo, { size: 1024 }),
  receiving('echo 16 KiB', {}, echo, { size: 16_384 }),
  receiving('echo 16 B text', {}, echo, { isText: true }),
  receiving('echo 1 KiB text', {}, echo, { size: 1024, isText: true }),
  receiving('to a W3C listener', {}, (socket) => socket.addEventListener('message', () => heard++)),
  receiving('answered with a PreparedMessage', {}, (socket) => socket.on('message', () => socket.send(prepared))),
];
