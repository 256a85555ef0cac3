// The judge, without a run: what it lets pass, and that it sees what is wrong.
import { expect, test } from '@jest/globals';
import { Random } from '../lib/random.mjs';
import { endingOf, faultOf, idOf, paceOf, pathOf } from '../lib/scenario.mjs';
import { shortSettings } from '../lib/times.mjs';
import { judge, type Connection, type EndRecord, type ProxyRecord } from '../lib/verdict.mjs';

type Closed = NonNullable<EndRecord['closed']>;
type Overrides = Partial<Omit<EndRecord, 'closed'>> & { closed?: Partial<Closed> };

const SETTINGS = shortSettings(10, 1);
const NO_STALLS = { client: [], server: [], proxy: [] };
const FIRED = 1000;

const END = {
  id: 1,
  isOpened: true,
  openedAt: 0,
  called: undefined,
  closes: 1,
  sent: 5,
  received: 5,
  seen: 5,
  isDamaged: false,
  faults: [],
  stats: { bytesReceived: 0, bytesSent: 0, messagesReceived: 0, messagesSent: 0 },
} satisfies Omit<EndRecord, 'closed'>;
const CLOSED: Closed = {
  at: FIRED + 10,
  code: 1006,
  initiator: 'transport',
  wasClean: false,
  sent: null,
  received: null,
  error: null,
  lastActivity: FIRED,
  frames: 4,
  bytesUnsent: 0,
};

const end = ({ closed, ...rest }: Overrides): EndRecord => ({ ...END, closed: { ...CLOSED, ...closed }, ...rest });

const proxy = (
  kind: ProxyRecord['kind'],
  direction: ProxyRecord['direction'],
  rest: Partial<ProxyRecord> = {},
): ProxyRecord => ({ id: 1, kind, direction, firedAt: FIRED, up: 500, down: 500, changed: 0, ...rest });

const HEARTBEAT = { initiator: 'timeout', error: 'WS_ERR_HEARTBEAT_TIMEOUT', at: FIRED + 2200 };
const CALLED = { how: 'close', code: 3000, at: FIRED } as const;
const ORDERLY = { code: 3000, sent: 3000, received: 3000, wasClean: true, frames: 0 };
const LOCAL = { called: CALLED, closed: { ...ORDERLY, initiator: 'local' } };
const REMOTE = { closed: { ...ORDERLY, initiator: 'remote' } };
const none = proxy('none', 'up', { firedAt: undefined });

const RIGHT: readonly [name: string, connection: Omit<Connection, 'id'>][] = [
  ['an orderly end', { client: end(LOCAL), server: end(REMOTE), proxy: none }],
  ['an RST', { client: end({}), server: end({ closed: { error: 'ECONNRESET' } }), proxy: proxy('reset', 'up') }],
  [
    'a half-open connection',
    { client: end({ closed: HEARTBEAT }), server: end({ closed: HEARTBEAT }), proxy: proxy('half-open', 'up') },
  ],
  [
    'a black hole',
    {
      client: end({ closed: { at: FIRED + 2300 } }),
      server: end({ closed: HEARTBEAT }),
      proxy: proxy('black-hole', 'up'),
    },
  ],
  [
    'no 101',
    {
      client: end({ isOpened: false, received: 0, closed: { initiator: 'timeout', at: FIRED + 1500, frames: 0 } }),
      proxy: proxy('half-open', 'up'),
    },
  ],
  [
    'damage that is noticed',
    {
      client: end({ isDamaged: true, faults: ['down 3: damaged'], received: 3 }),
      server: end({}),
      proxy: proxy('corrupt', 'down', { changed: 1 }),
    },
  ],
];

test.each(RIGHT)('lets %s pass', (_name, connection) => {
  expect(judge({ id: 1, ...connection }, SETTINGS, NO_STALLS)).toEqual({ violations: [], excused: false });
});

const WRONG: readonly [text: RegExp, connection: Omit<Connection, 'id'>][] = [
  [
    /client: transport .* expected local/,
    { client: end({ called: CALLED, closed: ORDERLY }), server: end(REMOTE), proxy: none },
  ],
  [
    /server: local .* expected transport/,
    { client: end({}), server: end({ closed: { initiator: 'local' } }), proxy: proxy('reset', 'up') },
  ],
  [
    /client: transport .* expected timeout/,
    { client: end({}), server: end({ closed: HEARTBEAT }), proxy: proxy('half-open', 'down') },
  ],
  [
    /server: timeout .* noticed .* ms too late/,
    {
      client: end({ closed: HEARTBEAT }),
      server: end({ closed: { ...HEARTBEAT, at: FIRED + 2700 } }),
      proxy: proxy('half-open', 'up'),
    },
  ],
  [
    /server: .*expected transport/,
    { client: end({ closed: HEARTBEAT }), server: end({ closed: HEARTBEAT }), proxy: proxy('black-hole', 'down') },
  ],
  [/client: 'close' came 2 times/, { client: end({ ...LOCAL, closes: 2 }), server: end(REMOTE), proxy: none }],
  [
    /server: 'close' came 0 times/,
    { client: end(LOCAL), server: { ...end(REMOTE), closes: 0, closed: undefined }, proxy: none },
  ],
  [/never told of its end/, { server: end(REMOTE), proxy: none }],
  [
    /client has 6 answers to 5 messages/,
    { client: end({ ...LOCAL, sent: 6, received: 6 }), server: end(REMOTE), proxy: none },
  ],
  [
    /of 6 messages before the client's Close frame 5 arrived/,
    { client: end({ ...LOCAL, sent: 6 }), server: end(REMOTE), proxy: none },
  ],
  [/server has 5 messages of 4/, { client: end({ ...LOCAL, sent: 4, received: 4 }), server: end(REMOTE), proxy: none }],
  [
    /the code is not that of the Close frame/,
    { client: end(LOCAL), server: end({ closed: { ...REMOTE.closed, code: 1000 } }), proxy: none },
  ],
  [/wasClean is true/, { client: end({ closed: { wasClean: true } }), server: end({}), proxy: proxy('reset', 'up') }],
  [
    /no frames of an abnormal end/,
    { client: end({ closed: { frames: 0 } }), server: end({}), proxy: proxy('fin', 'up') },
  ],
  [
    /down 3: damaged/,
    { client: end({ ...LOCAL, isDamaged: true, faults: ['down 3: damaged'] }), server: end(REMOTE), proxy: none },
  ],
  [
    /the peer closed with 3000/,
    { client: end(LOCAL), server: end({ closed: { ...REMOTE.closed, code: 1001, received: 1001 } }), proxy: none },
  ],
  [
    /lastActivity is/,
    {
      client: end({ ...LOCAL, closed: { ...LOCAL.closed, lastActivity: FIRED + 9999 } }),
      server: end(REMOTE),
      proxy: none,
    },
  ],
];

test.each(WRONG)('finds %s', (text, connection) => {
  expect(judge({ id: 1, ...connection }, SETTINGS, NO_STALLS).violations.join('\n')).toMatch(text);
});

test('an end that gave up a peer without a processor is excused, one that had none itself is not', () => {
  const connection = { id: 1, client: end({}), server: end({ closed: HEARTBEAT }), proxy: none };
  const stall = [{ at: FIRED + 2000, ms: 900 }];
  expect(judge(connection, SETTINGS, { ...NO_STALLS, client: stall })).toEqual({ violations: [], excused: true });
  expect(judge(connection, SETTINGS, { ...NO_STALLS, server: stall }).violations).not.toEqual([]);
  expect(judge(connection, SETTINGS, NO_STALLS).violations).not.toEqual([]);
});

test('a seed repeats what is planned, another one plans something else', () => {
  const plan = (seed: number) => {
    const settings = { ...SETTINGS, seed };
    return Array.from({ length: 50 }, (_, id) => [
      faultOf(settings, id),
      paceOf(settings, id, 'up'),
      endingOf(settings, id),
    ]);
  };
  expect(plan(7)).toEqual(plan(7));
  expect(plan(7)).not.toEqual(plan(8));
});

test('every fault has its turn within a dozen connections, on the way and in the handshake', () => {
  const faults = Array.from({ length: 600 }, (_, id) => faultOf(SETTINGS, id));
  expect(new Set(faults.slice(0, 12).map(({ kind, direction }) => `${kind} ${direction}`)).size).toBe(11);
  for (const kind of ['half-open', 'reset', 'fin', 'black-hole', 'truncate']) {
    const places = faults.filter((fault) => fault.kind === kind).map(({ at }) => at);
    expect(Math.min(...places)).toBeLessThan(150);
    expect(Math.max(...places)).toBeGreaterThan(10_000);
  }
});

test('a path that was damaged names no connection', () => {
  expect(idOf(pathOf(123_456))).toBe(123_456);
  expect(idOf(pathOf(123_456).replace('4', '5'))).toBeUndefined();
});

test('random numbers are within their bounds, and reach them', () => {
  const random = new Random(3);
  const drawn = Array.from(
    { length: 2000 },
    () => [random.between(2, 5), random.logBetween(10, 1000), random.next()] as const,
  );
  expect([...new Set(drawn.map(([small]) => small))].sort((a, b) => a - b)).toEqual([2, 3, 4, 5]);
  expect(Math.min(...drawn.map(([, log]) => log))).toBe(10);
  expect(Math.max(...drawn.map(([, log]) => log))).toBeGreaterThan(900);
  expect(drawn.filter(([, log]) => log < 100).length).toBeGreaterThan(800); // half of them
  expect(drawn.every(([, , unit]) => unit >= 0 && unit < 1)).toBe(true);
});
