import type { EventEmitter } from 'node:events';
import { finished, type Readable } from 'node:stream';

type Listener = (...told: unknown[]) => void;

/**
 * For a target of `pipe` that has no end. At an `'error'` and a `'close'` of its target `pipe` lets go of it, and throws the error where nobody else listens;
 * here they tell of single sockets: its listeners for them, the newest ones when it emits `'pipe'`, are taken away. And as nothing that a source does
 * ends the target, each is let go of at its own end, or `pipe` would keep it.
 */
export function takeSources(target: EventEmitter): void {
  const newest = new Map<string | symbol, Listener>();
  const sources = new Map<Partial<Readable>, () => void>();
  target.on('newListener', (name: string | symbol, listener: Listener) => {
    if (name === 'error' || name === 'close') newest.set(name, listener);
  });
  target.on('pipe', (source: Readable) => {
    for (const [name, listener] of newest) target.off(name, listener);
    const letGo = (): void => {
      sources.delete(source);
      (source as Partial<Readable>).unpipe?.(target as never); // streams of the oldest kind see to that themselves
    };
    sources.set(source, finished(source, { writable: false }, letGo));
  });
  target.on('unpipe', (source: Readable) => {
    sources.get(source)?.();
    sources.delete(source);
  });
}
