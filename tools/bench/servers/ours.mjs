import { PreparedMessage, WebSocketServer } from '@ws/server';
import { serve } from './serve.mjs';

serve(WebSocketServer, (document) => {
  const prepared = new PreparedMessage(document, { binary: false });
  return (socket) => socket.send(prepared, { binary: false });
});
