/**
 * @typedef {object} Violation
 * @property {string} file    from the workspace root
 * @property {number} [line]  from 1
 * @property {string} message
 */

/** @param {Violation} violation */
export function format({ file, line, message }) {
  return `${file}${line === undefined ? '' : `:${line}`}  ${message}`;
}
