import { expect } from '@jest/globals';
import { Duplex, Writable } from 'node:stream';
import { WebSocket } from '@ws/server';
import { Server, Socket } from '../../src/websockets/index.js';
import { prove } from '../rows.js';
import { moduleRows } from '../rows/websockets.js';
import { join, start, wrap } from './support.js';

const MEMBERS = ['read', 'writeHead', 'write', 'writeEnd', 'send', 'ping', 'close', 'pipe', 'unpipe'] as const;

prove(moduleRows, {
  'BK-001': {
    'X-18 one class, over a byte stream and over a WebSocket': async () => {
      const { socket } = wrap();
      const { server, port } = await start();
      const { socket: ofServer } = await join(server, port);
      for (const each of [socket, ofServer]) {
        expect(each).toBeInstanceOf(Socket);
        expect(each).toBeInstanceOf(Duplex);
        for (const name of MEMBERS) expect(typeof each[name]).toBe('function');
        expect(typeof each.id).toBe('number');
      }
      expect(ofServer.core).toBeInstanceOf(WebSocket);
    },
  },
  'BK-002': () => {
    const server = new Server();
    expect(server).toBeInstanceOf(Writable);
    for (const name of ['write', 'listen', 'broadcast', 'on'] as const) expect(typeof server[name]).toBe('function');
  },
  // Stability notes: nothing to show but that there is an object to have notes on.
  'BK-003': () => {
    expect([Server.name, Socket.name]).toEqual(['Server', 'Socket']);
  },
});
