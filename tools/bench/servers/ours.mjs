import { WebSocketServer } from '@ws/server';
import { serveEcho } from './echo.mjs';

serveEcho(WebSocketServer);
