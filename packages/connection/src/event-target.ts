import type { EventEmitter } from 'node:events';
import * as events from './event.js';
import type { CloseInfo } from './protocol/index.js';
import type { RawData, WebSocketEvents } from './types.js';

/** The part of a WHATWG Event that a WebSocket's listeners use; Node's own class costs ten times as much. */
export interface Event<Target> {
  readonly type: 'open' | 'message' | 'close' | 'error';
  readonly target: Target;
}
export interface MessageEvent<Target> extends Event<Target> {
  readonly type: 'message';
  /** Text as a string, binary as `binaryType` says. */
  readonly data: string | RawData | Blob;
}
export interface CloseEvent<Target> extends Event<Target> {
  readonly type: 'close';
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  readonly info: CloseInfo;
}
export interface ErrorEvent<Target> extends Event<Target> {
  readonly type: 'error';
  readonly error: Error;
  readonly message: string;
}

export interface EventTypes<Target> {
  open: Event<Target>;
  message: MessageEvent<Target>;
  close: CloseEvent<Target>;
  error: ErrorEvent<Target>;
}
export type EventType = keyof EventTypes<unknown>;
/** A method to the compiler, so that a subclass, or a socket with typed `data`, is a WebSocket to it: parameters of methods may be narrower. */
export type EventHandler<Type> = { handle(event: Type): void }['handle'];
export type EventListener<Target, Type extends EventType> =
  | { handle(this: Target, event: EventTypes<Target>[Type]): void }['handle']
  | { handleEvent(event: EventTypes<Target>[Type]): void };

type Emitter = EventEmitter<WebSocketEvents>;
type AnyListener = ((event: unknown) => void) | { handleEvent(event: unknown): void };

/** On the functions that stand between an EventEmitter and a W3C listener. */
const kListener = Symbol('listener');
const kIsAttribute = Symbol('is an on* attribute');
interface Adapter {
  (...args: never[]): void;
  [kListener]?: AnyListener;
  [kIsAttribute]?: boolean;
}

const TYPES: ReadonlySet<string> = new Set<EventType>(['open', 'message', 'close', 'error']);
export const isEventType = (type: string): type is EventType => TYPES.has(type);

/** Adds a W3C listener; the same one twice counts once. `isAttribute`: it is the one of `on…`. */
export function addListener(
  socket: Emitter,
  type: EventType,
  listener: AnyListener,
  once: boolean,
  isAttribute = false,
): void {
  if (typeof listener !== 'function' && typeof listener?.handleEvent !== 'function') return;
  if (!isAttribute && adapters(socket, type).some((known) => known[kListener] === listener && !known[kIsAttribute]))
    return;
  const adapter = adapterFor(socket, type, listener);
  adapter[kListener] = listener;
  adapter[kIsAttribute] = isAttribute;
  if (once) socket.once(type, adapter);
  else socket.on(type, adapter);
}

export function removeListener(socket: Emitter, type: EventType, listener: AnyListener): void {
  const found = adapters(socket, type).find((known) => known[kListener] === listener && !known[kIsAttribute]);
  if (found) socket.removeListener(type, found);
}

/** The listener of `on…`. */
export function getAttribute(socket: Emitter, type: EventType): AnyListener | null {
  return adapters(socket, type).find((known) => known[kIsAttribute])?.[kListener] ?? null;
}

/** Replaces the listener of `on…`, and no other; anything that is no function removes it. */
export function setAttribute(socket: Emitter, type: EventType, listener: unknown): void {
  const old = adapters(socket, type).find((known) => known[kIsAttribute]);
  if (old) socket.removeListener(type, old);
  if (typeof listener === 'function') addListener(socket, type, listener as (event: unknown) => void, false, true);
}

const adapters = (socket: Emitter, type: EventType): Adapter[] => socket.listeners(type) as Adapter[];

function adapterFor(target: Emitter, type: EventType, listener: AnyListener): Adapter {
  // What an async one returns is the emitter's to look after.
  const call = (event: unknown): void =>
    typeof listener === 'function' ? listener.call(target, event) : listener.handleEvent(event);
  switch (type) {
    case 'open':
      return () => call(new events.Event(type, target));
    case 'message':
      return (data: RawData, isBinary: boolean) =>
        call(new events.MessageEvent(target, isBinary ? data : (data as Buffer).toString()));
    case 'close':
      return (code: number, reason: Buffer, info?: CloseInfo) =>
        call(new events.CloseEvent(target, code, reason.toString(), info));
    case 'error':
      return (error: Error) => call(new events.ErrorEvent(target, error));
  }
}
