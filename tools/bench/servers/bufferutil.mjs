// Where ws is to mask in C, it does.
import bufferutil from 'bufferutil';

/** bufferutil has a fallback in JavaScript, which would go unnoticed. */
export function expectNative() {
  if (process.env['WS_NO_BUFFER_UTIL'] !== undefined) return;
  if (!String(bufferutil.mask).includes('[native code]'))
    throw new Error('bufferutil has no binary for this platform, so that ws would mask in JavaScript');
}
