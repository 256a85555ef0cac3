/**
 * Lets programs use these names for values of their own: what is assigned hides the attribute, on that object alone, as `[Replaceable]` of Web IDL.
 * Else the first `socket.remoteAddress = …` of a program that was written before there was a `remoteAddress` would throw.
 */
export function makeReplaceable(prototype: object, ...names: readonly string[]): void {
  for (const name of names) {
    const set = function (this: object, value: unknown): void {
      Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true });
    };
    Object.defineProperty(prototype, name, { set });
  }
}
