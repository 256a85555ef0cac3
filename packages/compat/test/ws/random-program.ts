// Random programs for `ws`: what they are made of.
import fc from 'fast-check';

export const DATA = {
  text: () => 'text',
  nothing: () => '',
  long: () => 'é'.repeat(2000),
  number: () => 5,
  null: () => null,
  false: () => false,
  bytes: () => Buffer.from('bytes'),
  'no bytes': () => Buffer.alloc(0),
  'not UTF-8': () => Buffer.from([0xff]),
  view: () => new Uint16Array([1, 2, 3]).subarray(1),
  memory: () => new Uint8Array([97, 98]).buffer,
  list: () => [97, 98],
  object: () => ({ a: 1 }),
  'much data': () => Buffer.alloc(70_000, 'x'),
} satisfies Record<string, () => unknown>;

const SMALL = [
  'text',
  'nothing',
  'number',
  'null',
  'false',
  'bytes',
  'view',
  'memory',
  'list',
  'object',
  'long',
] as const;
const OPTIONS = [
  undefined,
  {},
  { binary: true },
  { binary: false },
  { binary: undefined },
  { compress: true },
  { compress: false },
];
const CODES = [undefined, 1000, 1001, 1005, 1006, 1011, 3000, 4999, 5000, '1000'];
const REASONS = [undefined, '', 'bye', 'é'.repeat(61), 'x'.repeat(124), Buffer.from('why'), 5];

const key = <Key extends string>(...keys: readonly Key[]): fc.Arbitrary<Key> => fc.constantFrom(...keys);
const listener = fc.integer({ min: 0, max: 4 });
const closing = fc.record({ do: key('close'), code: fc.constantFrom(...CODES), reason: fc.constantFrom(...REASONS) });
const anyAct = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: key('send'),
      data: key(...(Object.keys(DATA) as (keyof typeof DATA)[])),
      options: fc.constantFrom(...OPTIONS),
      fin: fc.constantFrom(undefined, true, false),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: key('ping', 'pong'), data: key(...SMALL) }) },
  { weight: 2, arbitrary: fc.record({ do: key('pause', 'resume') }) },
  { weight: 1, arbitrary: fc.record({ do: key('binaryType'), type: key('nodebuffer', 'arraybuffer', 'other') }) },
  { weight: 3, arbitrary: fc.record({ do: key('on', 'once', 'off', 'remove', 'attribute'), listener }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: key('add'), listener, once: fc.constantFrom(undefined, {}, { once: true }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: key('look') }) },
);
const end = key('client', 'server');
const anyTurn = fc.array(fc.record({ end, act: anyAct }), { minLength: 1, maxLength: 4 });
const anyDeflate = fc.constantFrom(
  false,
  true,
  { threshold: 0 },
  { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
  { threshold: 10, serverMaxWindowBits: 10, clientMaxWindowBits: 9 },
);
const flags = { autoPong: fc.boolean(), allowSynchronousEvents: fc.boolean(), skipUTF8Validation: fc.boolean() };
/** With compression nothing goes wrong: what is still being compressed then, `ws` sends and the adapter drops. */
const common = fc.oneof(
  fc.record({ ...flags, perMessageDeflate: anyDeflate, maxPayload: fc.constantFrom(undefined, 0) }),
  fc.record({ ...flags, perMessageDeflate: fc.constant(false), maxPayload: fc.constant(60_000) }),
);
export const randomProgram = fc.record({
  options: fc.record({ server: common, client: common, clientTracking: fc.boolean() }),
  turns: fc.array(anyTurn, { maxLength: 6 }),
  /** At one end or at both. */
  ending: fc.oneof(
    fc.array(fc.record({ end, act: closing }), { minLength: 1, maxLength: 3 }),
    fc.tuple(fc.record({ end, act: fc.record({ do: key('terminate') }) })),
  ),
  behind: fc.array(fc.record({ end, act: fc.oneof(anyAct, closing, fc.record({ do: key('terminate') })) }), {
    maxLength: 4,
  }),
});

type Generated<Arbitrary> = Arbitrary extends fc.Arbitrary<infer Value> ? Value : never;
export type RandomProgram = Generated<typeof randomProgram>;
export type Act = RandomProgram['behind'][number]['act'];
