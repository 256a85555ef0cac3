import type { Claim, Keeper } from './memory-account.js';

/** How readers that take messages at their own pace stop and resume reading: a member of every WebSocket, for the packages of this library. */
export const kPace = Symbol.for('@ws/connection.pace');

export interface Pace {
  /** Bytes received and not taken from which on reading stops; finite. */
  readonly highWaterMark: number;
  /** Nothing is read until {@link readOn}; several readers do so independently. */
  hold(reader: object): void;
  readOn(reader: object): void;
  /** For the account of what `keeper` has. @returns undefined where nobody keeps one, or there is no connection yet */
  claim(keeper: Keeper): Claim | undefined;
}
