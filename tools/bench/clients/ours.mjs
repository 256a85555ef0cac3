import { WebSocket } from '@ws/client';
import { sendBursts } from './sender.mjs';

await sendBursts(WebSocket);
