import { Connection } from './connection.js';
import { connect, createServer, setBinaryFragmentation, setMaxBufferLength } from './create.js';
import { frame } from './frame.js';
import { InStream } from './in-stream.js';
import { OutStream } from './out-stream.js';
import { Server } from './server.js';

const functions = { connect, createServer, setBinaryFragmentation, setMaxBufferLength };
/** For `import ws from`, as of a CommonJS module. */
const main = { ...functions, Connection, InStream, OutStream, Server, frame };

export type { ClientEnd } from './client-end.js';
export type { ConnectionEvents, SendCallback } from './connection.js';
export type { ConnectOptions } from './create.js';
export type { SelectProtocol, ServerEvents, ServerOptions } from './server.js';
export {
  connect,
  Connection,
  createServer,
  frame,
  InStream,
  main as default,
  OutStream,
  Server,
  setBinaryFragmentation,
  setMaxBufferLength,
};
