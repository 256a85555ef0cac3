/** How a failure is told from another one: its text without the values in it, or where it came from. */
export function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split('\n').find((line) => line.includes('/packages/')) ?? '';
  return `${error.name}: ${error.message.split('\n')[0]?.replaceAll(/\d+|"[^"]*"|'[^']*'/g, '…')}${place.replace(/:\d+:\d+\)?$/, '')}`;
}

/** The invariant does not hold. */
class Broken extends Error {
  override readonly name = 'Broken';
}

/** @throws {Broken} */
export function must(fact: boolean, what: string | (() => string)): asserts fact {
  if (!fact) throw new Broken(typeof what === 'string' ? what : what());
}

/** @throws {Broken} where the two are not the same, compared as JSON */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one !== other) throw new Broken(`${what}\n  is       ${shorten(one)}\n  expected ${shorten(other)}`);
}

const shorten = (text: string | undefined): string =>
  text === undefined ? 'undefined' : text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
