// The second opinion on messages: what a peer's whole stream means, RFC 6455 §5.4 to §5.6, §7 and RFC 7692 §7.2.2, worked out
// from a list of frames. It keeps everything, and knows no chunk and no time.
import { InflateError, Inflater } from '@ws/testing';
import type { NaiveFrame } from './frames.js';

export interface MessageRules {
  readonly maxPayload: number;
  readonly maxFragments: number;
  readonly validateUtf8: boolean;
  /** permessage-deflate, the peer's half: undefined without it. */
  /** Something else that is done to the payload of every data frame, and undone here. */
  readonly undo?: (payload: Buffer) => Buffer;
  readonly deflate: { readonly takeover: boolean } | undefined;
}

/** What the receiver reports, in order. `failed` names the codes of which one must be given. */
export type Report =
  | readonly ['message', isText: boolean, hex: string]
  | readonly ['ping' | 'pong', hex: string]
  | readonly ['close', code: number, reason: string]
  | readonly ['failed', codes: readonly string[]];

const UNFIT = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
const BAD_TEXT = 'WS_ERR_INVALID_UTF8';
/** Of a compressed message with several faults, which one is seen first is not ours to say. */
export const COMPRESSED: readonly string[] = ['WS_ERR_INVALID_DEFLATE_DATA', UNFIT, BAD_TEXT, 'WS_ERR_INFLATION_RATIO'];

export interface Meaning {
  readonly reports: Report[];
  /** Reports before the first piece of a compressed message that is corrupt or has no end: from there on it may be found out. */
  readonly doubtful: number;
}

/** @param error of what follows the frames */
export function naiveReports(
  frames: readonly NaiveFrame[],
  error: string | undefined,
  rules: MessageRules,
  closeBody: (body: Buffer) => { code: number; reason: string } | string,
): Meaning {
  let doubtful = Infinity;
  const reports: Report[] = [];
  const inflater = rules.deflate && new Inflater(15, rules.deflate.takeover, true);
  let open: { isText: boolean; isCompressed: boolean; parts: Buffer[]; count: number; declared: number } | undefined;
  const fail = (...codes: string[]): Meaning => ({ reports: [...reports, ['failed', codes]], doubtful });

  for (const { head, payload, ended } of frames) {
    const { opcode, fin, rsv, payloadLength } = head;
    if (opcode >= 8) {
      if (!ended) break;
      if (opcode !== 8) reports.push([opcode === 9 ? 'ping' : 'pong', payload.toString('hex')]);
      else {
        const body = closeBody(payload);
        return typeof body === 'string'
          ? fail(body)
          : { reports: [...reports, ['close', body.code, body.reason]], doubtful };
      }
      continue;
    }
    if (opcode === 0) {
      if (open === undefined) return fail('WS_ERR_INVALID_OPCODE');
      if (rsv !== 0) return fail((rsv & 4) !== 0 ? 'WS_ERR_UNEXPECTED_RSV_1' : 'WS_ERR_UNEXPECTED_RSV_2_3');
    } else {
      if (open !== undefined) return fail('WS_ERR_INVALID_OPCODE');
      if ((rsv & 4) !== 0) doubtful = reports.length;
      open = { isText: opcode === 1, isCompressed: (rsv & 4) !== 0, parts: [], count: 0, declared: 0 };
    }
    open.declared += payloadLength;
    if (open.declared > rules.maxPayload) return fail(UNFIT);
    if (++open.count > rules.maxFragments) return fail('WS_ERR_TOO_MANY_BUFFERED_PARTS');
    open.parts.push(rules.undo?.(payload) ?? payload);
    const { isText } = open;
    let content: Buffer = Buffer.concat(open.parts);
    const isWhole = fin && ended;
    if (open.isCompressed) {
      if (!isWhole) continue;
      try {
        if (content.length > 0) content = inflater?.message(content) ?? content; // no data at all is harmless
      } catch (fault) {
        if (!(fault instanceof InflateError)) throw fault;
        return fail(...COMPRESSED);
      }
      if (content.length > rules.maxPayload) return fail(...COMPRESSED);
    }
    if (isText && rules.validateUtf8 && !isTextSoFar(content, isWhole))
      return open.isCompressed ? fail(...COMPRESSED) : fail(BAD_TEXT);
    if (!isWhole) continue;
    reports.push(['message', isText, content.toString('hex')]);
    open = undefined;
    doubtful = Infinity;
  }
  return error === undefined ? { reports, doubtful } : fail(error);
}

function isTextSoFar(bytes: Uint8Array, isWhole: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !isWhole });
    return true;
  } catch {
    return false;
  }
}
