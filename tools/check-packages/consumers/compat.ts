import WebSocket, { WebSocket as Named } from '@ws/compat';

const socket: WebSocket = new Named(null);
if (!(socket instanceof WebSocket) || socket.readyState !== WebSocket.CONNECTING) throw new Error('readyState');
