import type * as w3c from './event-target.js';
import type { CloseInfo } from './protocol/index.js';
import type { RawData } from './types.js';

/** What W3C listeners are given. Its socket is no property of its own: who logs an event as JSON, or copies it, does not take the socket along, and whatever hangs on it. */
export class Event<Type extends w3c.EventType, Target> implements w3c.Event<Target> {
  readonly type: Type;
  readonly #target: Target;

  constructor(type: Type, target: Target) {
    this.type = type;
    this.#target = target;
  }

  get target(): Target {
    return this.#target;
  }
}

export class MessageEvent<Target> extends Event<'message', Target> implements w3c.MessageEvent<Target> {
  readonly data: string | RawData;

  constructor(target: Target, data: string | RawData) {
    super('message', target);
    this.data = data;
  }
}

export class CloseEvent<Target> extends Event<'close', Target> implements Omit<w3c.CloseEvent<Target>, 'info'> {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  /** Undefined where a program emits 'close' itself. */
  readonly info: CloseInfo | undefined;

  constructor(target: Target, code: number, reason: string, info: CloseInfo | undefined) {
    super('close', target);
    this.code = code;
    this.reason = reason;
    this.wasClean = info?.wasClean ?? false;
    this.info = info;
  }
}

export class ErrorEvent<Target> extends Event<'error', Target> implements w3c.ErrorEvent<Target> {
  readonly error: Error;
  readonly message: string;

  constructor(target: Target, error: Error) {
    super('error', target);
    this.error = error;
    this.message = error.message;
  }
}
