// permessage-deflate on the runtime's node:zlib, with the handle inside its streams and with documented calls alone. For runtimes with
// Node's modules.
import { once } from 'node:events';
import { createPair } from '@ws/connection';
import { PerMessageDeflate } from '@ws/deflate';
import { hasFastPath, zlibBackend } from '@ws/deflate/node';

/** Both sides of every limit between at once and the thread pool. */
const SIZES = [0, 1, 60, 1000, 8192, 32_768, 32_769, 60_000, 300_000, 7, 900];
const BITS = [8, 9, 11, 15];

export async function deflateSmoke() {
  const paths = hasFastPath() ? [true, false] : [false];
  const results = [];
  for (const fastPath of paths) results.push(await onPath(fastPath));
  return { hasFastPath: hasFastPath(), results };
}

/** @param {boolean} fastPath */
async function onPath(fastPath) {
  const backend = zlibBackend({ fastPath });
  let isRight = true;
  let sent = 0;
  for (const noTakeover of [true, false]) {
    for (const bits of BITS) {
      const parameters = {
        serverNoContextTakeover: noTakeover,
        clientNoContextTakeover: noTakeover,
        serverMaxWindowBits: bits,
        clientMaxWindowBits: bits,
      };
      const extensions = (/** @type {'server' | 'client'} */ role) => [
        new Counting({ role, parameters, backend, threshold: 0 }, (byteLength) => (sent += byteLength)),
      ];
      const { client, server } = createPair({ extensions });
      server.on('message', (data, isBinary) => server.send(data, { binary: isBinary }));
      for (const size of SIZES) {
        const text = json(size);
        const echo = once(client, 'message');
        client.send(text);
        isRight &&= String((await echo)[0]) === text;
      }
      client.close(1000);
      await Promise.all([client.closed, server.closed]);
    }
  }
  const whole = 2 * 2 * BITS.length * SIZES.reduce((sum, size) => sum + size, 0);
  return {
    isRight,
    isSmaller: sent < whole / 2,
    corrupt: await refusal('06', backend),
    bomb: await refusal(bomb(backend), backend),
  };
}

/** Tells how long each fragment becomes. */
class Counting extends PerMessageDeflate {
  #onEncoded;
  /** @param {import('@ws/deflate').PerMessageDeflateInit} init @param {(byteLength: number) => void} onEncoded */
  constructor(init, onEncoded) {
    super(init);
    this.#onEncoded = onEncoded;
  }

  /** @override @type {PerMessageDeflate['encode']} */
  encode(payload, fragment, done) {
    super.encode(payload, fragment, (error, encoded, rsv) => {
      this.#onEncoded(encoded.length);
      done(error, encoded, rsv);
    });
  }
}

/** What a message is refused with. @param {string} hex @param {import('@ws/deflate').Backend} backend */
async function refusal(hex, backend) {
  const end = new PerMessageDeflate({ role: 'server', backend });
  const piece = { first: true, last: true, remaining: 1000 };
  const error = await new Promise((resolve) => end.decode(Buffer.from(hex, 'hex'), piece, () => {}, resolve));
  return error?.code;
}

/** @param {import('@ws/deflate').Backend} backend */
function bomb(backend) {
  return Buffer.from(backend.deflateSync(new Uint8Array(8000), 15) ?? [])
    .subarray(0, -4)
    .toString('hex');
}

/** @param {number} length */
function json(length) {
  let text = '';
  for (let i = 0; text.length < length; i++) text += JSON.stringify({ id: i, name: `user${(i * 7919) % 1000}` });
  return text.slice(0, length);
}

const expectedResult = {
  isRight: true,
  isSmaller: true,
  corrupt: 'WS_ERR_INVALID_DEFLATE_DATA',
  bomb: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
};
/** @param {boolean} fast does this runtime have the fast path? */
export const expectedDeflate = (fast) => ({
  hasFastPath: fast,
  results: fast ? [expectedResult, expectedResult] : [expectedResult],
});
