// Measures: us of CPU to compress, and to decompress, one message of JSON, at once and in the thread pool, with Node's zlib handle
// and with public calls, with and without context takeover. The thresholds of `ZlibOptions` come from here.
// Run: npm run bench
import { PerMessageDeflate } from '@ws/deflate';
import { zlibBackend } from '@ws/deflate/node';

const NO_TAKEOVER = { serverNoContextTakeover: true, clientNoContextTakeover: true };
const BUDGET_MS = 150;

function json(length) {
  let text = '';
  for (let i = 0; text.length < length; i++) {
    text += JSON.stringify({
      id: i,
      user: `user${(i * 7919) % 1000}`,
      text: `message number ${i * 31}`,
      ok: i % 3 === 0,
    });
  }
  return Buffer.from(text.slice(0, length));
}

const encode = (end, payload) =>
  new Promise((resolve) => {
    end.encode(payload, { first: true, fin: true, opcode: 1, compress: true }, (error, bytes) => {
      if (error) throw error;
      resolve(bytes);
    });
  });

const decode = (end, wire) =>
  new Promise((resolve) => {
    let length = 0;
    const output = (bytes) => void (length += bytes.length);
    end.decode(wire, { first: true, last: true, remaining: Infinity }, output, (error) => {
      if (error) throw error;
      resolve(length);
    });
  });

/** us of CPU of a call, all threads together. */
async function cost(act) {
  for (let i = 0; i < 30; i++) await act();
  const before = process.cpuUsage();
  const end = performance.now() + BUDGET_MS;
  let count = 0;
  for (; performance.now() < end; count++) await act();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / count).toFixed(1).padStart(8);
}

console.log('     bytes                        takeover  compress  decompress (us of CPU)  compressed bytes');
for (const size of [64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 262_144]) {
  const payload = json(size);
  for (const [name, options] of [
    ['handle, at once', { syncDeflateLimit: 2 ** 20, syncInflateLimit: 2 ** 20, syncOutputLimit: 2 ** 20 }],
    [
      'public, at once',
      { syncDeflateLimit: 2 ** 20, syncInflateLimit: 2 ** 20, syncOutputLimit: 2 ** 20, fastPath: false },
    ],
    ['handle, level 6', { syncDeflateLimit: 2 ** 20, zlibDeflateOptions: { level: 6 } }],
    ['thread pool', { syncDeflateLimit: 0, syncInflateLimit: 0 }],
  ]) {
    for (const parameters of [NO_TAKEOVER, {}]) {
      if (parameters !== NO_TAKEOVER && options.fastPath === false) continue; // compresses in the thread pool then
      const backend = zlibBackend(options);
      const end = new PerMessageDeflate({ role: 'server', backend, parameters, threshold: 0 });
      const peer = new PerMessageDeflate({ role: 'client', backend, parameters });
      const wire = await encode(end, payload);
      await decode(peer, wire);
      const alone = new PerMessageDeflate({ role: 'server', backend, parameters: NO_TAKEOVER, threshold: 0 });
      const selfContained = await encode(alone, payload);
      const compressing = await cost(() => encode(end, payload));
      const decompressing = await cost(() => decode(peer, selfContained));
      const takeover = parameters === NO_TAKEOVER ? 'no' : 'yes';
      console.log(
        `${String(size).padStart(10)}  ${name.padEnd(20)}  ${takeover.padStart(8)}  ${compressing}    ${decompressing}                  ${String(selfContained.length).padStart(8)}`,
      );
    }
  }
}
