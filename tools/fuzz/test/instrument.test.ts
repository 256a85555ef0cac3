import { expect, test } from '@jest/globals';
import { instrument } from '../src/counting/instrument.js';

/** What the code comes to, and how often each place ran. */
function run(source: string): { result: unknown; counts: number[] } {
  const { code, places } = instrument(source, String);
  const counts = new Uint32Array(places.length);
  const scope = globalThis as unknown as Record<symbol, unknown>;
  const before = scope[Symbol.for('ws.fuzz')];
  scope[Symbol.for('ws.fuzz')] = { region: () => counts };
  try {
    // eslint-disable-next-line typescript/no-implied-eval -- the code is what is tested
    const result: unknown = new Function(code.replace('export const result =', 'return'))();
    return { result, counts: [...counts] };
  } finally {
    scope[Symbol.for('ws.fuzz')] = before;
  }
}

test.each([
  { source: 'let a = 0; for (let i = 0; i < 3; i++) a += i; export const result = a;', result: 3, counts: [3] },
  {
    source: 'let a; if (1 > 2) a = 1; else if (2 > 1) a = 2; else a = 3; export const result = a;',
    result: 2,
    counts: [0, 1, 1, 0],
  },
  {
    source: 'const f = x => x ? x&&1 : null ?? 7; export const result = [f(1), f(0)];',
    result: [1, 7],
    counts: [2, 1, 1, 1, 1],
  },
  { source: 'const f = () => ({ a: 1 }); export const result = f().a;', result: 1, counts: [1] },
  {
    source:
      'let s = ""; for (const c of "ab") switch (c) { case "a": s += 1; break; default: s += 2; } export const result = s;',
    result: '12',
    counts: [2, 1, 1],
  },
  {
    source: 'class A { #x = 1; get x() {return this.#x ||= 2} static { A.y = new A().x; } } export const result = A.y;',
    result: 1,
    counts: [1, 0],
  },
  {
    source: 'let a = 0; try { throw 1 } catch { a = 2 } do a++; while (a < 5); export const result = a;',
    result: 5,
    counts: [1, 3],
  },
  {
    source: 'function f(n) { return n > 0 ? f(n - 1) + 1 : 0 } export const result = f(4);',
    result: 4,
    counts: [5, 4, 1],
  },
])('counts, and changes nothing: $source', ({ source, result, counts }) => {
  expect(run(source)).toEqual({ result, counts });
});

test('knows where it counts, and what is compared with', () => {
  const { places, literals } = instrument(
    'const f = (x) => {\n  if (x === "abc")\n    return 17;\n  return x;\n};',
    (line, column) => `${line}:${column}`,
  );
  expect(places).toEqual(['1:17', '3:4']);
  expect(literals).toEqual(['abc', 17]);
});
