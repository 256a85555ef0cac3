// Numbers as people read them.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** @param {number} value */
export const count = (value) => whole.format(value);

/** @param {number} value 1200 is 1.2K */
export const compactCount = (value) => short.format(value);

/** @param {number} bytes a power of two or a sum of them */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 ** 2 ? `${threeDigits(bytes / 1024)} KiB` : `${threeDigits(bytes / 1024 ** 2)} MiB`;
}

/** @param {number} bytesPerSecond */
export function byteRate(bytesPerSecond) {
  if (bytesPerSecond < 1e6) return `${threeDigits(bytesPerSecond / 1e3)} kB/s`;
  return bytesPerSecond < 1e9
    ? `${threeDigits(bytesPerSecond / 1e6)} MB/s`
    : `${threeDigits(bytesPerSecond / 1e9)} GB/s`;
}

/** @param {number} ms */
export function time(ms) {
  if (ms < 1) return `${threeDigits(ms * 1000)} µs`;
  return ms < 1000 ? `${threeDigits(ms)} ms` : `${threeDigits(ms / 1000)} s`;
}

/** @param {number} value */
function threeDigits(value) {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? trim(value.toFixed(1)) : trim(value.toFixed(2));
}

/** @param {string} digits with a decimal point */
const trim = (digits) => digits.replace(/\.?0+$/, '');
