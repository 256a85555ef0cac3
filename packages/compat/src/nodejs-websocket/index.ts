export type { ClientEnd } from '../client-end.js';
export type { ConnectionEvents, SendCallback } from './connection.js';
export type { ConnectOptions } from './create.js';
export * as default from './main.js'; // `import ws from`, as of a CommonJS module
export {
  connect,
  Connection,
  createServer,
  frame,
  InStream,
  OutStream,
  Server,
  setBinaryFragmentation,
  setMaxBufferLength,
} from './main.js';
export type { SelectProtocol, ServerEvents, ServerOptions } from './server.js';
