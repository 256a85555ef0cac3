import { DeflateError } from '../errors.js';

export const corrupt = (cause?: Error): DeflateError =>
  new DeflateError('WS_ERR_INVALID_DEFLATE_DATA', cause?.message, cause);

export const incomplete = (): DeflateError => new DeflateError('WS_ERR_INVALID_DEFLATE_DATA', 'ends inside a block');

export const tooManyFinalBlocks = (): DeflateError =>
  new DeflateError('WS_ERR_INVALID_DEFLATE_DATA', `more than ${MAX_FINAL_BLOCKS} final blocks`);

export const tooLong = (limit: number): DeflateError =>
  new DeflateError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', `more than ${limit} bytes`);

/**
 * Final blocks (BFINAL) that a message may have. Behind each one it goes on, §7.2.3.4, in the window of the session where there is
 * one; to begin anew costs us far more than a final block costs its sender.
 */
export const MAX_FINAL_BLOCKS = 64;
