export { Connection } from './connection.js';
export { connect, createServer, setBinaryFragmentation, setMaxBufferLength } from './create.js';
export { frame } from './frame.js';
export { InStream } from './in-stream.js';
export { OutStream } from './out-stream.js';
export { Server } from './server.js';
