/** A caller's list that may be none, in JavaScript. @throws {TypeError} */
export function assertList(value: readonly string[], message: string): void {
  const given: unknown = value;
  if (!Array.isArray(given)) throw new TypeError(message);
}
