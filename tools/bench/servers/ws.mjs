import { WebSocketServer } from 'ws';
import { serveEcho } from './echo.mjs';

serveEcho(WebSocketServer);
