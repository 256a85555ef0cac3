import { WebSocketServer } from '@ws/compat/ws';
import { serve } from './serve.mjs';

serve(WebSocketServer);
