import { WebSocketServer } from 'ws';
import { expectNative } from './bufferutil.mjs';
import { serve } from './serve.mjs';

expectNative();
serve(WebSocketServer);
