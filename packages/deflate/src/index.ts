export { DeflateError, type DeflateErrorCode } from './errors.js';
