// Memory of a context, as README.md has it: how much the process grows for each of many, all of them in use.
//   npm run build && node bench/memory.mjs
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInflateRaw } from 'node:zlib';
import { PerMessageDeflate } from '@ws/deflate';
import { zlibBackend } from '@ws/deflate/node';

const COUNT = 400;
const MESSAGE_BYTES = 8192;
/** More than the largest window, so that all of it is in use. */
const MESSAGES = 6;
const FIRST_AND_LAST = { first: true, last: true, fin: true, compress: true, remaining: Infinity };

const WORDS = 'amber anchor autumn basket bridge candle copper corner cotton dinner engine forest'.split(' ');
let seed = 1;

/** Text that compresses about as well as JSON. */
function message() {
  let text = '';
  while (text.length < MESSAGE_BYTES) {
    seed = (seed * 48_271) % 0x7fff_ffff;
    text += `${WORDS[seed % WORDS.length]}:${seed % 1000},`;
  }
  return Buffer.from(text.slice(0, MESSAGE_BYTES));
}

/** @param {number} bits @param {number} memLevel */
function codec(bits, memLevel) {
  const backend = zlibBackend({ maxContexts: COUNT + 1, contextIdleTimeout: 1e9, zlibDeflateOptions: { memLevel } });
  return new PerMessageDeflate({
    role: 'server',
    backend,
    threshold: 0,
    parameters: { serverMaxWindowBits: bits, clientMaxWindowBits: bits },
  });
}

/** @param {PerMessageDeflate} deflate @param {Buffer} payload @returns {Buffer} */
function encode(deflate, payload) {
  let result = Buffer.alloc(0);
  deflate.encode(payload, FIRST_AND_LAST, (error, bytes) => {
    if (error !== null) throw error;
    result = Buffer.from(bytes);
  });
  if (result.length === 0 || result.length >= payload.length) throw new Error('the message was not compressed at once');
  return result;
}

/** What makes one context and puts it to use; the result is what holds it. @type {Record<string, (bits: number, memLevel: number) => () => unknown>} */
const MAKERS = {
  sending: (bits, memLevel) => {
    const messages = Array.from({ length: MESSAGES }, message);
    return () => {
      const deflate = codec(bits, memLevel);
      for (const payload of messages) encode(deflate, payload);
      return deflate;
    };
  },
  receiving: (bits, memLevel) => {
    const sender = codec(bits, memLevel);
    const payloads = Array.from({ length: MESSAGES }, () => encode(sender, message()));
    return () => {
      const deflate = codec(bits, memLevel);
      let received = 0;
      for (const payload of payloads) {
        deflate.decode(
          payload,
          FIRST_AND_LAST,
          (bytes) => (received += bytes.length),
          (error) => {
            if (error !== null) throw error;
          },
        );
      }
      if (received !== MESSAGES * MESSAGE_BYTES) throw new Error('a message was not decompressed at once');
      return deflate;
    };
  },
  inflater: (bits, memLevel) => {
    const sender = codec(bits, memLevel);
    const payloads = Array.from({ length: MESSAGES }, () => encode(sender, message()));
    return () => {
      const stream = createInflateRaw({ windowBits: bits });
      stream.resume();
      for (const payload of payloads) stream.write(Buffer.concat([payload, Buffer.of(0, 0, 0xff, 0xff)]));
      return stream;
    };
  },
};

/** In a process of its own. @param {string} kind @param {number} bits @param {number} memLevel */
async function measure(kind, bits, memLevel) {
  const make = MAKERS[kind]?.(bits, memLevel);
  if (make === undefined) throw new RangeError(`no ${kind}`);
  const settle = async () => {
    for (let round = 0; round < 4; round++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      globalThis.gc?.();
    }
    return process.memoryUsage().rss;
  };
  const held = [make()]; // code, and what all contexts share
  const before = await settle();
  for (let count = 0; count < COUNT; count++) {
    held.push(make());
    globalThis.gc?.(); // or the process grows by garbage
  }
  const after = await settle();
  process.stdout.write(String((after - before) / (held.length - 1)));
}

/** @param {string} kind @param {number} bits @param {number} memLevel */
function kibOf(kind, bits, memLevel) {
  const args = ['--expose-gc', fileURLToPath(import.meta.url), kind, String(bits), String(memLevel)];
  return (Number(execFileSync(process.execPath, args, { encoding: 'utf8' })) / 1024).toFixed(1);
}

const [kind, bits, memLevel] = process.argv.slice(2);
if (kind !== undefined) await measure(kind, Number(bits), Number(memLevel));
else {
  console.log(`KiB of RSS for each of ${COUNT}, node ${process.version}`);
  console.log('window bits | sending: memLevel 8 |    6 |    4 |    1 | receiving | an inflater of zlib');
  for (const windowBits of [15, 13, 11, 9]) {
    const cells = [8, 6, 4, 1].map((level) => kibOf('sending', windowBits, level));
    console.log(
      [windowBits, ...cells, kibOf('receiving', windowBits, 8), kibOf('inflater', windowBits, 8)].join(' | '),
    );
  }
}
