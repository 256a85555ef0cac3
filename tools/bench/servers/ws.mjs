import { WebSocketServer } from 'ws';
import { serve } from './serve.mjs';

serve(WebSocketServer);
