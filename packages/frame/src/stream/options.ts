import type { FrameParserOptions } from '../index.js';

export interface FrameDuplexOptions {
  /**
   * Our end: a `server` takes masked frames only and sends unmasked ones, a `client` the other way round, RFC 6455 §5.1.
   * `'any'` takes both and sends unmasked ones; it is meant for tools. @default 'server', or 'client' where `mask` is true
   */
  readonly role?: 'server' | 'client' | 'any' | undefined;
  /** Mask what is sent. @default true for a client */
  readonly mask?: boolean | undefined;
  /** Largest payload of one data frame in bytes, checked on the declared length (1009); 0 or false: no limit. @default 104_857_600 */
  readonly maxFramePayload?: number | false | undefined;
  /** The reserved bits that extensions own, RSV1 being 4: in both directions, and never on control frames. @default 0 */
  readonly allowedRsv?: number | undefined;
  /** Refuse a length that is not in its shortest form. @default true */
  readonly strictLength?: boolean | undefined;
  /** Take text as it comes. Text with a reserved bit set is never checked: it is an extension's to decode. @default false */
  readonly skipUTF8Validation?: boolean | undefined;
  /** Answer neither pings nor Close frames; what comes after a Close frame is parsed as well. @default false */
  readonly raw?: boolean | undefined;
  /** Time in ms from a Close frame, in either direction, or a fault to the end of the source, which is cut then; 0 or false: no limit. @default 30_000 */
  readonly closeTimeout?: number | false | undefined;
  /** Bytes of payload that may wait to be read, and bytes of frames to be written, before the other side has to. @default 65_536 */
  readonly highWaterMark?: number | undefined;
}

/** Options with their defaults filled in; `rules` are the parser's. */
export interface Settings {
  readonly rules: FrameParserOptions;
  readonly mask: boolean;
  readonly allowedRsv: number;
  readonly skipUTF8Validation: boolean;
  readonly raw: boolean;
  /** Infinity: no limit. */
  readonly closeTimeoutMs: number;
  readonly highWaterMark: number;
}

/** @throws {TypeError | RangeError} for a bad value: the message names it. What the parser takes, it checks itself. */
export function settingsOf(options: FrameDuplexOptions): Settings {
  const { raw = false, skipUTF8Validation = false, closeTimeout = 30_000, highWaterMark = 65_536 } = options;
  const { maxFramePayload = 104_857_600, allowedRsv = 0, strictLength = true } = options;
  const { role = options.mask === true ? 'client' : 'server', mask = role === 'client' } = options;
  for (const [name, value] of Object.entries({ mask, raw, skipUTF8Validation }))
    if (typeof value !== 'boolean') throw new TypeError(`${name} is ${String(value)}, expected a boolean`);
  if (closeTimeout !== false && !(typeof closeTimeout === 'number' && closeTimeout >= 0))
    throw new RangeError(`closeTimeout is ${String(closeTimeout)}, expected a non-negative number or false`);
  if (!Number.isSafeInteger(highWaterMark) || highWaterMark < 0)
    throw new RangeError(`highWaterMark is ${String(highWaterMark)}, expected a non-negative integer`);
  // The chunks of a source may be somebody's own memory.
  const rules = { role, allowedRsv, maxFramePayload, strictLength, preserveInput: true };
  const closeTimeoutMs = closeTimeout || Infinity;
  return { rules, mask, allowedRsv, skipUTF8Validation, raw, closeTimeoutMs, highWaterMark };
}
