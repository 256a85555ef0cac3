/** How messages are compressed and decompressed, beside what was agreed. */
export interface CodecOptions {
  /** Bytes from which on a message is compressed. @default 1024 */
  readonly threshold?: number | undefined;
  /** Does the threshold hold for every message, or only where none may refer to the one before, as in ws 8? @default 'no-context-takeover' */
  readonly thresholdMode?: 'no-context-takeover' | 'always' | undefined;
  /** Most bytes that a message of more than 64 KiB may inflate to for each byte of its compressed form; beyond it, 1009. DEFLATE itself ends at 1032. @default false, for `maxPayload` bounds it */
  readonly maxRatio?: number | false | undefined;
}

export interface CodecSettings {
  readonly threshold: number;
  readonly thresholdMode: 'no-context-takeover' | 'always';
  /** `Infinity` for none. */
  readonly maxRatio: number;
}

/** @throws {TypeError | RangeError} naming the option */
export function checkCodecOptions(options: CodecOptions): CodecSettings {
  const { threshold = 1024, thresholdMode = 'no-context-takeover', maxRatio = false } = options;
  if (typeof threshold !== 'number') {
    throw new TypeError(`threshold is ${show(threshold)}, expected a non-negative integer`);
  }
  if (threshold !== Infinity && (!Number.isSafeInteger(threshold) || threshold < 0)) {
    throw new RangeError(`threshold is ${threshold}, expected a non-negative integer`);
  }
  if (thresholdMode !== 'no-context-takeover' && thresholdMode !== 'always') {
    throw new RangeError(`thresholdMode is ${show(thresholdMode)}, expected 'no-context-takeover' or 'always'`);
  }
  if (typeof maxRatio !== 'number' && (maxRatio as unknown) !== false) {
    throw new TypeError(`maxRatio is ${show(maxRatio)}, expected a number from 1, or false`);
  }
  if (maxRatio !== false && maxRatio !== 0 && !(maxRatio >= 1)) {
    throw new RangeError(`maxRatio is ${maxRatio}, expected a number from 1, or false`);
  }
  return { threshold, thresholdMode, maxRatio: maxRatio || Infinity };
}

/** A value as it stands in a message. */
export const show = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value));
