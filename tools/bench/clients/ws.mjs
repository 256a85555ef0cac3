import { WebSocket } from 'ws';
import { sendBursts } from './sender.mjs';

await sendBursts(WebSocket);
