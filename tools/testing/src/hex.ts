/**
 * Bytes from hexadecimal text: hex`81 05 | 48656c6c6f`. Blanks and `|` separate; a value put in is bytes, or hex text.
 * @throws {SyntaxError} on anything that is not pairs of hexadecimal digits
 */
export function hex(strings: TemplateStringsArray, ...values: (Uint8Array | string)[]): Uint8Array {
  let text = '';
  strings.forEach((part, i) => {
    const value = values[i] ?? '';
    text += part + (typeof value === 'string' ? value : Buffer.from(value).toString('hex'));
  });
  const digits = text.replace(/[\s|]/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) throw new SyntaxError(`not hexadecimal: ${text}`);
  return new Uint8Array(Buffer.from(digits, 'hex'));
}
