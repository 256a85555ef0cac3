import { isUtf8 } from 'node:buffer';
import { randomInt } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { now } from './close-report.js';
import type { ConnectionSettings } from './options.js';
import { ownsItsChunks } from './plain-socket.js';
import type { Account, Extension, ProtocolOptions } from './protocol/index.js';
import { turnTime } from './dirty-writers.js';

export type Role = 'server' | 'client';

/** What is of one connection alone. */
export interface Individual {
  readonly role: Role;
  readonly openedAt: number;
  readonly duplex: Duplex;
  readonly extensions: readonly Extension[];
  readonly account: Account | undefined;
}

/** What the core is told by a connection: its settings, and Node's means. */
export function coreOptions(settings: ConnectionSettings, individual: Individual): ProtocolOptions {
  const { limits, guards, closeTimeoutMs, waitForTcpClose, autoPong, strictLength, validateUtf8 } = settings;
  const { fragmentSize, meter } = settings;
  const { role, openedAt, duplex, extensions, account } = individual;
  const preserveInput = !ownsItsChunks(duplex);
  // One literal, nothing spread into it: each object that is has a shape of its own, which is half a kilobyte.
  return {
    role,
    openedAt,
    now,
    turnTime,
    limits,
    guards,
    random,
    closeTimeoutMs,
    waitForTcpClose,
    autoPong,
    strictLength,
    validateUtf8,
    extensions,
    fragmentSize,
    preserveInput,
    isUtf8,
    allocate,
    copy,
    account,
    encodeText,
    meter,
  };
}

/** Short ones share a pool. That of Node 24 would take them up to 32 KiB, and each of them would keep all 64 of it. */
const POOLED_BELOW = 4096;
const allocate = (byteLength: number): Uint8Array => Buffer.allocUnsafeSlow(byteLength);
function copy(memory: Uint8Array, from: number, to: number): Uint8Array {
  const bytes = to - from < POOLED_BELOW ? Buffer.allocUnsafe(to - from) : Buffer.allocUnsafeSlow(to - from);
  bytes.set(new Uint8Array(memory.buffer, memory.byteOffset + from, to - from)); // as `subarray`, at half its price
  return bytes;
}
const encodeText = (text: string): Uint8Array => Buffer.from(text);
const random = (): number => randomInt(2 ** 32) / 2 ** 32;
