import { captureRejectionSymbol, type EventEmitter } from 'node:events';
import { listenerRejected } from '@ws/connection';

/**
 * Async listeners of these emitters, which have `captureRejections`, may reject with what a peer caused, as those of the core: see `isPeerFault`.
 * What stands on a connection of the core has it as `core` or `webSocket`, or is closed by a `close` and a `readyState` of its own.
 */
export function forgivePeers(type: { readonly prototype: EventEmitter }): void {
  Object.defineProperty(type.prototype, captureRejectionSymbol, {
    value(this: EventEmitter, reason: unknown, _event: string, ...told: unknown[]) {
      listenerRejected(reason, ...[this, ...told].map(coreOf));
    },
  });
}

function coreOf(one: unknown): unknown {
  if (typeof one !== 'object' || one === null) return one;
  if ('core' in one) return one.core;
  return 'webSocket' in one ? one.webSocket : one;
}
