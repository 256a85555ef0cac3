// Alters the inside of zlib streams, as a later Node might, and tells whether the codec noticed, and still works.
import { syncBuiltinESMExports } from 'node:module';
import zlib from 'node:zlib';
import { PerMessageDeflate } from '@ws/deflate';
import { hasFastPath, zlibBackend } from '@ws/deflate/node';

const set = (object, name, value) => Object.defineProperty(object, name, { value });

/** What is done to each new stream. */
const alterations = {
  none() {},
  'no writeSync': ({ _handle }) => set(_handle, 'writeSync', undefined),
  'no reset': ({ _handle }) => set(_handle, 'reset', undefined),
  'no handle': (stream) => set(stream, '_handle', undefined),
  'no state': (stream) => set(stream, '_writeState', undefined),
  'another kind of state': (stream) => set(stream, '_writeState', { availOut: 0, availIn: 0 }),
  'no _processChunk': (stream) => set(stream, '_processChunk', undefined),
  'other arguments'(stream) {
    const original = stream._processChunk.bind(stream);
    set(stream, '_processChunk', (chunk, flush) => original(Buffer.from(chunk), flush));
  },
  'wrong output'({ _handle }) {
    const original = _handle.writeSync.bind(_handle);
    const writeSync = (...args) => {
      original(...args);
      args[4][args[5]] ^= 1;
    };
    set(_handle, 'writeSync', writeSync);
  },
  'reset does nothing': ({ _handle }) => set(_handle, 'reset', () => {}),
  'errors go elsewhere'({ _handle }) {
    Object.defineProperty(_handle, 'onerror', { get: () => () => {}, set() {} });
  },
};

for (const name of ['createDeflateRaw', 'createInflateRaw']) {
  const original = zlib[name];
  set(zlib, name, (options) => {
    const stream = original(options);
    alterations[process.argv[2]](stream);
    return stream;
  });
}
syncBuiltinESMExports();

const parameters = { serverNoContextTakeover: true, clientNoContextTakeover: true };
const backend = zlibBackend();
const end = new PerMessageDeflate({ role: 'server', parameters, backend, threshold: 0 });
const peer = new PerMessageDeflate({ role: 'client', parameters, backend });
const text = 'hello '.repeat(50);
const fragment = { opcode: 1, first: true, fin: true, compress: undefined };
end.encode(Buffer.from(text), fragment, (_error, payload, rsv) => {
  const parts = [];
  const piece = { first: true, last: true, remaining: 1e6 };
  const output = (part) => void parts.push(part);
  peer.decode(payload, piece, output, (error) => {
    const isRight = !error && rsv === 4 && Buffer.concat(parts).toString() === text;
    process.stdout.write(JSON.stringify({ hasFastPath: hasFastPath(), isRight }));
  });
});
