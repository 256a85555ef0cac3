// What a name and a message may look like. Length is in UTF-16 units, as the page's input fields count.
export const MAX_NAME = 24;
export const MAX_TEXT = 1000;

// Invisible or direction-changing characters with which a name could pass for another or a line could reach out of itself.
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/gu;
const CONTROLS_BUT_LINES = /(?![\n\t])[\p{Cc}\u061c\u202a-\u202e\u2066-\u2069\ufeff]+/gu;

/**
 * @param {unknown} value
 * @returns {string | undefined} the name as it is shown; `undefined` if nothing acceptable is left
 */
export function cleanName(value) {
  if (typeof value !== 'string' || value.length > 4 * MAX_NAME) return undefined;
  const name = value.toWellFormed().normalize('NFC').replace(CONTROLS, ' ').replace(/\s+/gu, ' ').trim();
  return name.length > 0 && name.length <= MAX_NAME ? name : undefined;
}

/**
 * @param {unknown} value
 * @returns {string | undefined}
 */
export function cleanText(value) {
  if (typeof value !== 'string' || value.length > MAX_TEXT) return undefined;
  const text = value.toWellFormed().replace(/\r\n?/g, '\n').replace(CONTROLS_BUT_LINES, '').trim();
  return text.length > 0 ? text : undefined;
}
