import websocket from 'nodejs-websocket';
import { serve } from './serve-nodejs-websocket.mjs';

serve(websocket);
