import type { GuardError, Guards } from '../../src/protocol/index.js';
import { NO_GUARDS } from '../../src/protocol/index.js';
import { Core, type CoreOptions } from './core.js';

export function guarded(guards: Partial<Guards>, options: CoreOptions = {}): Core {
  return new Core({ ...options, guards: { ...NO_GUARDS, ...guards } });
}

/** Time passes; the core is called whenever it wants to be. */
export function pass({ clock, protocol }: Core, ms: number): void {
  const end = clock.now() + ms;
  for (let looks = 0; looks < 10_000; looks++) {
    const deadline = protocol.nextDeadline();
    if (deadline === undefined || deadline > end) break;
    clock.advance(Math.max(0, deadline - clock.now()));
    protocol.handleTimeout(clock.now());
  }
  clock.advance(end - clock.now());
}

/** Ms until the core ends the connection, by its clock; `Infinity` if that takes more than `limit`. */
export function lasts(core: Core, limit = 1_000_000): number {
  const start = core.clock.now();
  while (core.clock.now() - start < limit) {
    if (core.protocol.closing.error !== null) return core.clock.now() - start;
    pass(core, 1);
  }
  return Infinity;
}

/** How it ended: the error's code, who, the code of our Close frame, and whether TCP was cut. */
export function ending({ protocol, isDestroyed }: Core): unknown[] {
  const { error, initiator, sent } = protocol.closing;
  return [(error as GuardError | null)?.code ?? null, initiator, sent?.code ?? null, isDestroyed];
}
