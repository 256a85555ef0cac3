import { performance } from 'node:perf_hooks';
import type { CloseInfo, Initiator, Protocol } from './protocol/index.js';

/** The core's clock: ms that never go back. */
export const now = (): number => performance.now();
/** As `Date.now`: the ms that has begun. */
const sinceEpoch = (ms: number): number => Math.floor(performance.timeOrigin + ms);

/** How the connection of this core ended. */
export function closeReport(protocol: Protocol, bytesUnsent: number, streamError: Error | null): CloseInfo {
  const { sent, received, error, initiator } = protocol.closing;
  const { code, reason } = received ?? { code: 1006, reason: '' };
  const wasClean = sent !== null && received !== null && bytesUnsent === 0;
  return {
    code,
    reason,
    wasClean,
    initiator,
    sent,
    received,
    error: error ?? streamError,
    bytesUnsent,
    lastActivity: sinceEpoch(protocol.lastActivity),
    frames: wasClean ? [] : protocol.recentFrames().map((frame) => ({ ...frame, at: sinceEpoch(frame.at) })),
  };
}

/** There was no connection to end. */
export const neverOpened = (error: Error | null, initiator: Initiator): CloseInfo => ({
  code: 1006,
  reason: '',
  wasClean: false,
  initiator,
  sent: null,
  received: null,
  error,
  bytesUnsent: 0,
  lastActivity: Date.now(),
  frames: [],
});
