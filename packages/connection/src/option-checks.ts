/** @throws {TypeError | RangeError} naming the option, as all of these do */
export function checkOneOf<Value extends string>(name: string, value: unknown, allowed: readonly Value[]): Value {
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  const expected = allowed.map((each) => `'${each}'`).join(', ');
  if (typeof value === 'string') throw new RangeError(`${name} is ${describe(value)}, expected one of ${expected}`);
  throw new TypeError(`${name} is ${describe(value)}, expected one of ${expected}`);
}

export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} is ${describe(value)}, expected a boolean`);
  return value;
}

export function checkClass<Class extends new (...args: never[]) => unknown>(
  name: string,
  value: unknown,
  base: Class,
): Class {
  if (value === base || (typeof value === 'function' && value.prototype instanceof base)) return value as Class;
  throw new TypeError(`${name} is ${describe(value)}, expected a class that extends ${name}`);
}

/** 0 and `false` are no limit. */
export function checkLimit(name: string, value: unknown): number {
  if (value === false || value === 0 || value === Infinity) return Infinity;
  if (typeof value !== 'number') {
    throw new TypeError(`${name} is ${describe(value)}, expected a non-negative integer or false`);
  }
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name} is ${value}, expected a non-negative integer or false`);
  }
  return value;
}

/** Node's timers take 31 bits of ms. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export function checkTimeout(name: string, value: unknown): number {
  const ms = checkLimit(name, value);
  if (ms !== Infinity && ms > MAX_TIMEOUT_MS)
    throw new RangeError(`${name} is ${ms}, expected at most ${MAX_TIMEOUT_MS} ms`);
  return ms;
}

/** What a misspelt name says would be lost, and nobody told. @throws {TypeError} naming it */
export function checkNames(name: string, given: object, known: readonly string[]): void {
  for (const key in given) {
    if (!known.includes(key) && Object.hasOwn(given, key)) throw new TypeError(`${name}.${key} is not an option`);
  }
}

/** A value as it stands in a message. */
export const describe = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value));
