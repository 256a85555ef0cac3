// Who may import whom. This is the table of the design, per entry; everything else in this package only enforces it.

/**
 * One part of a package's `src`, usually what stands behind one entry of its `exports`.
 * @typedef {object} Part
 * @property {string} entry    the key in `exports` that it stands behind
 * @property {string} source   a folder ('protocol/') or file ('version.ts') under src; '' is all the rest
 * @property {readonly string[]} imports  entries of other packages that it may import
 * @property {readonly string[]} types    entries of which it may import the types alone (`import type`)
 * @property {Builtins} builtins
 * @property {number} [mostLines]  of JavaScript that its sources compile to, without comments and empty lines
 */

/**
 * Node's own modules: none, these, or any. A part with 'none' is portable: it also keeps to the globals in PORTABLE_GLOBALS, and
 * imports only portable parts.
 * @typedef {'none' | readonly string[] | 'any'} Builtins
 */

const BELOW_THE_ENDS = [
  '@ws/frame',
  '@ws/frame/stream',
  '@ws/handshake',
  '@ws/deflate',
  '@ws/deflate/node',
  '@ws/connection',
  '@ws/connection/protocol',
];

/** @param {string} entry @param {string} source @param {number} mostLines @returns {Part} */
const adapter = (entry, source, mostLines) => ({
  entry,
  source,
  imports: [...BELOW_THE_ENDS, '@ws/server', '@ws/client'],
  types: [],
  builtins: ['buffer', 'events', 'http', 'https', 'net', 'stream', 'timers', 'tls', 'url', 'util'],
  mostLines,
});

/** @type {Readonly<Record<string, readonly Part[]>>} */
export const LAYERS = {
  '@ws/frame': [
    { entry: './stream', source: 'stream/', imports: [], types: [], builtins: ['stream', 'buffer', 'crypto'] },
    { entry: '.', source: '', imports: [], types: [], builtins: 'none' },
  ],
  '@ws/handshake': [{ entry: '.', source: '', imports: [], types: [], builtins: 'none' }],
  '@ws/deflate': [
    {
      entry: './node',
      source: 'node/',
      imports: [],
      types: ['@ws/frame'],
      builtins: ['zlib', 'buffer', 'async_hooks', 'os'],
    },
    { entry: '.', source: '', imports: [], types: ['@ws/frame'], builtins: 'none' },
  ],
  '@ws/connection': [
    { entry: './protocol', source: 'protocol/', imports: ['@ws/frame'], types: ['@ws/deflate'], builtins: 'none' },
    { entry: '.', source: '', imports: ['@ws/frame'], types: ['@ws/deflate'], builtins: 'any' },
  ],
  '@ws/server': [{ entry: '.', source: '', imports: BELOW_THE_ENDS, types: [], builtins: 'any' }],
  '@ws/client': [{ entry: '.', source: '', imports: BELOW_THE_ENDS, types: [], builtins: 'any' }],
  // "." is another name of "./ws". Adapters are thin, and what is compressed or hashed is so by the core.
  '@ws/compat': [
    adapter('./ws', 'ws/', 400),
    adapter('./ws2', 'ws2/', 420),
    adapter('./nodejs-websocket', 'nodejs-websocket/', 430),
    adapter('./wesos', 'wesos/', 400),
    adapter('./websockets', 'websockets/', 530), // two APIs in one, see docs/decisions/websockets-socket.md
    ...['async-listeners.ts', 'endless.ts', 'forward.ts', 'whole-read.ts'].map((source) => adapter('.', source, 60)),
  ],
};

/** What a portable part may assume beside the ECMAScript of the compiler's `lib`; each is declared in its runtime.d.ts; WebAssembly, where it is used, may be missing. */
export const PORTABLE_GLOBALS = ['TextDecoder', 'TextEncoder', 'crypto', 'queueMicrotask', 'WebAssembly'];
