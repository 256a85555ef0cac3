import { captureRejectionSymbol, EventEmitter } from 'node:events';
import {
  addListener,
  getAttribute,
  isEventType,
  removeListener,
  setAttribute,
  type CloseEvent,
  type ErrorEvent,
  type Event,
  type EventHandler,
  type EventListener,
  type EventType,
  type MessageEvent,
} from './event-target.js';
import { listenerRejected } from './peer-fault.js';
import type { WebSocketEvents } from './types.js';

/**
 * Listeners by event, as Node's emitters keep them: an object without prototype. Node makes it as a hash table, which takes 120 bytes more where
 * there are few, as on nearly every socket.
 */
const Listeners = function () {} as unknown as new () => object;
Listeners.prototype = Object.create(null) as object;

interface Emitter {
  _events?: object;
}

/** An EventEmitter with the event attributes and listeners of the W3C's WebSocket. An async listener may reject with what a peer caused: see `isPeerFault`. */
export class EventAttributes extends EventEmitter<WebSocketEvents> {
  constructor() {
    super({ captureRejections: true });
    const emitter = this as Emitter;
    if (emitter._events) emitter._events = new Listeners();
  }

  get onopen(): EventHandler<Event<this>> | null {
    return getAttribute(this, 'open') as EventHandler<Event<this>> | null;
  }
  set onopen(listener: EventHandler<Event<this>> | null) {
    setAttribute(this, 'open', listener);
  }
  get onmessage(): EventHandler<MessageEvent<this>> | null {
    return getAttribute(this, 'message') as EventHandler<MessageEvent<this>> | null;
  }
  set onmessage(listener: EventHandler<MessageEvent<this>> | null) {
    setAttribute(this, 'message', listener);
  }
  get onclose(): EventHandler<CloseEvent<this>> | null {
    return getAttribute(this, 'close') as EventHandler<CloseEvent<this>> | null;
  }
  set onclose(listener: EventHandler<CloseEvent<this>> | null) {
    setAttribute(this, 'close', listener);
  }
  get onerror(): EventHandler<ErrorEvent<this>> | null {
    return getAttribute(this, 'error') as EventHandler<ErrorEvent<this>> | null;
  }
  set onerror(listener: EventHandler<ErrorEvent<this>> | null) {
    setAttribute(this, 'error', listener);
  }

  /** A W3C listener, a function or an object with `handleEvent`. Types other than open, message, close and error are ignored, as in ws 8. */
  addEventListener<Type extends EventType>(
    type: Type,
    listener: EventListener<this, Type>,
    options: { once?: boolean } = {},
  ): void {
    if (isEventType(type))
      addListener(this, type, listener as Parameters<typeof addListener>[2], options.once === true);
  }
  removeEventListener<Type extends EventType>(type: Type, listener: EventListener<this, Type>): void {
    if (isEventType(type)) removeListener(this, type, listener as Parameters<typeof removeListener>[2]);
  }

  static {
    // As in browsers: `for (const name in socket)` finds them.
    for (const name of ['onopen', 'onmessage', 'onclose', 'onerror', 'addEventListener', 'removeEventListener'])
      Object.defineProperty(this.prototype, name, { enumerable: true });
    Object.defineProperty(this.prototype, captureRejectionSymbol, {
      value(this: EventAttributes, reason: unknown) {
        listenerRejected(reason, this);
      },
    });
  }
}
