export { StreamError, type StreamErrorCode } from './errors.js';
export type { FrameDuplexEvents } from './events.js';
export type { Frame } from './frame-cursor.js';
export { FrameDuplex } from './frame-duplex.js';
export type { FrameMessage } from './frame-messages.js';
export type { OutgoingHead } from './frame-writer.js';
export type { FrameDuplexOptions } from './options.js';
