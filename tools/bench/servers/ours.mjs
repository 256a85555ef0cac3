import { WebSocketServer } from '@ws/server';
import { serve } from './serve.mjs';

serve(WebSocketServer);
