import websocket from '@ws/compat/nodejs-websocket';
import { serve } from './serve-nodejs-websocket.mjs';

serve(websocket);
