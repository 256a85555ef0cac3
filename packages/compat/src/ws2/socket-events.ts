import { EventEmitter } from 'node:events';
import type { EventTypes, Flags, Handler, WebSocketEvents } from './types.js';

type EventType = keyof EventTypes<unknown>;
const TYPES = ['open', 'message', 'close', 'error'] as const satisfies EventType[];
const isEventType = (type: string): type is EventType => (TYPES as readonly string[]).includes(type);

type AnyHandler = Handler<never>;

/** What stands between the emitter and a W3C listener. */
interface Adapter {
  (...args: never[]): void;
  /** Not `listener`: that is the emitter's own, for `once`. */
  handler?: AnyHandler;
  isAttribute?: boolean;
}

/** The part of a W3C WebSocket that has to do with its events. */
export abstract class SocketEvents extends EventEmitter<WebSocketEvents> {
  abstract get binaryType(): 'nodebuffer' | 'arraybuffer';

  declare onopen: Handler<EventTypes<this>['open']> | null;
  declare onmessage: Handler<EventTypes<this>['message']> | null;
  declare onclose: Handler<EventTypes<this>['close']> | null;
  declare onerror: Handler<EventTypes<this>['error']> | null;

  /** A W3C listener for open, message, close and error; for any other event the same as `on`. */
  addEventListener<Type extends EventType>(type: Type, listener: Handler<EventTypes<this>[Type]>): void;
  addEventListener(type: string, listener: (...args: never[]) => void): void;
  addEventListener(type: string, listener: AnyHandler): void {
    if (typeof listener !== 'function') return;
    if (isEventType(type)) addAdapter(this, type, listener, false);
    else this.on(type as EventType, listener as () => void);
  }

  removeEventListener<Type extends EventType>(type: Type, listener: Handler<EventTypes<this>[Type]>): void;
  removeEventListener(type: string, listener: (...args: never[]) => void): void;
  removeEventListener(type: string, listener: AnyHandler): void {
    const added = adapters(this, type).find((one) => one.handler === listener && !one.isAttribute);
    this.off(type as EventType, added ?? (listener as () => void));
  }

  static {
    for (const type of TYPES) {
      const accessors = { get: attribute(type), set: setAttribute(type) };
      Object.defineProperty(this.prototype, `on${type}`, { ...accessors, configurable: true, enumerable: true });
    }
  }
}

const adapters = (target: SocketEvents, type: string): Adapter[] => target.listeners(type as EventType) as Adapter[];

function addAdapter(target: SocketEvents, type: EventType, handler: AnyHandler, isAttribute: boolean): void {
  const adapter = adapterOf(target, type, (event) => handler.call(target, event as never));
  target.on(type, Object.assign(adapter, { handler, isAttribute }));
}

function attribute(type: EventType) {
  return function (this: SocketEvents): AnyHandler | null {
    return adapters(this, type).find((one) => one.isAttribute)?.handler ?? null;
  };
}

function setAttribute(type: EventType) {
  return function (this: SocketEvents, handler: unknown): void {
    const old = adapters(this, type).find((one) => one.isAttribute);
    if (old) this.off(type, old);
    if (typeof handler === 'function') addAdapter(this, type, handler as AnyHandler, true);
  };
}

function adapterOf(target: SocketEvents, type: EventType, call: Handler<unknown>): Adapter {
  switch (type) {
    case 'open':
      return () => call({ type, target });
    case 'message':
      return (given: string | Buffer, { binary }: Partial<Flags>) => {
        const data = binary && target.binaryType === 'arraybuffer' ? Uint8Array.from(given as Buffer).buffer : given;
        call({ type, target, data, binary: binary === true });
      };
    case 'close':
      return (code: number, reason: string) => call({ type, target, code, reason, wasClean: code !== 1006 });
    case 'error':
      return (error: Error) => {
        for (const [name, value] of Object.entries({ type, target }))
          Reflect.defineProperty(error, name, { value, configurable: true, writable: true }); // does not show where it is printed
        call(error);
      };
  }
}
