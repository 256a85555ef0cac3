import { describe, expect, test } from '@jest/globals';
import { hex } from '@ws/testing';
import { duplexPair } from 'node:stream';
import { FrameDuplex, type FrameDuplexOptions } from '../../src/stream/index.js';
import { bench, closed, record, settled } from './record.js';

const KEY = 0x37fa213d;

interface Program {
  name: string;
  options?: FrameDuplexOptions;
  run(duplex: FrameDuplex): void;
  wire: Uint8Array;
}

const PROGRAMS: Program[] = [
  { name: 'one frame', run: (d) => d.writeHead({ opcode: 1 }).writeEnd('Hello'), wire: hex`81 05 48656c6c6f` },
  { name: 'text is the default', run: (d) => d.writeEnd('a'), wire: hex`81 01 61` },
  { name: 'an encoding', run: (d) => d.writeEnd('6162', 'hex'), wire: hex`81 02 6162` },
  { name: 'an empty message', run: (d) => d.writeEnd(), wire: hex`81 00` },
  {
    name: 'B-28 fragments: one write, one frame',
    run: (d) => {
      d.writeHead({ opcode: 2 }).write(Uint8Array.of(1, 2, 3));
      d.write('a', 'latin1');
      d.write('');
      d.writeEnd();
    },
    wire: hex`02 03 010203 | 00 01 61 | 00 00 | 80 00`,
  },
  {
    name: 'B-28 a head is forgotten with its message',
    run: (d) => {
      d.writeHead({ opcode: 2, maskingKey: KEY }).writeEnd('Hello');
      d.writeEnd('a');
    },
    wire: hex`82 85 37fa213d 7f9f4d5158 | 81 01 61`,
  },
  {
    name: 'B-28 so it is after a write with fin',
    run: (d) => {
      d.writeHead({ opcode: 2, fin: true }).write('a');
      d.write('b');
    },
    wire: hex`82 01 61 | 01 01 62`,
  },
  {
    name: 'one of the later writes is final',
    run: (d) => {
      d.write('a');
      d.writeHead({ fin: true, opcode: 2 }).write('b');
      d.writeEnd('c');
    },
    wire: hex`01 01 61 | 80 01 62 | 81 01 63`,
  },
  {
    name: 'B-28 a masking key holds for its message',
    run: (d) => {
      d.writeHead({ maskingKey: 0x01010101 }).write('a');
      d.writeEnd('b');
    },
    wire: hex`01 81 01010101 60 | 80 81 01010101 63`,
  },
  {
    name: 'no mask, for a client',
    options: { role: 'client' },
    run: (d) => d.writeHead({ mask: false }).writeEnd(),
    wire: hex`81 00`,
  },
  {
    name: 'a reserved bit, on the first frame',
    options: { allowedRsv: 4 },
    run: (d) => {
      d.writeHead({ rsv: 4 }).write('a');
      d.writeEnd('b');
    },
    wire: hex`41 01 61 | 80 01 62`,
  },
  {
    name: 'a declared length, filled by several writes',
    run: (d) => {
      d.writeHead({ fin: true, maskingKey: KEY });
      d.writeHead({ opcode: 2, length: 5 }).write('He');
      d.write('');
      d.write('llo');
      d.writeEnd('a');
    },
    wire: hex`82 85 37fa213d 7f9f4d5158 | 81 01 61`,
  },
  {
    name: 'a declared length, filled by the end of the message',
    run: (d) => {
      d.writeHead({ length: 3 }).write('a');
      d.writeEnd('bc');
    },
    wire: hex`01 03 616263 | 80 00`,
  },
  {
    name: 'a declared length, filled at once',
    run: (d) => d.writeHead({ length: 3 }).writeEnd('abc'),
    wire: hex`81 03 616263`,
  },
  {
    name: 'B-28 a declared length holds for one frame',
    run: (d) => {
      d.writeHead({ length: 2 }).write('ab');
      d.write('cde');
      d.writeHead({ length: 1 }).writeEnd('f');
    },
    wire: hex`01 02 6162 | 00 03 636465 | 80 01 66`,
  },
  {
    name: 'a declared length over 65535',
    run: (d) => {
      d.writeHead({ opcode: 2, length: 0x10000 });
      for (let i = 0; i < 4; i++) d.write(new Uint8Array(0x4000));
      d.writeEnd();
    },
    wire: hex`02 7f 0000000000010000 ${new Uint8Array(0x10000)} | 80 00`,
  },
  {
    name: 'a control frame in the middle of a message',
    run: (d) => {
      d.writeHead({ opcode: 2 }).write('a');
      d.writeHead({ opcode: 9 }).write('p');
      d.writeHead({ opcode: 10 }).writeHead({ maskingKey: 0 }).writeEnd();
      d.writeEnd('b');
    },
    wire: hex`02 01 61 | 89 01 70 | 8a 80 00000000 | 80 01 62`,
  },
  {
    name: 'a control frame waits for the end of a declared frame',
    run: (d) => {
      d.writeHead({ length: 2 }).write('a');
      d.writeHead({ opcode: 9 }).writeEnd('p');
      d.writeEnd('b');
    },
    wire: hex`01 02 61 62 | 80 00 | 89 01 70`,
  },
  {
    name: 'an opcode for data takes the control frame back',
    run: (d) => d.writeHead({ opcode: 9 }).writeHead({ opcode: 2 }).writeEnd('a'),
    wire: hex`82 01 61`,
  },
  {
    name: 'end finishes the open message',
    run: (d) => {
      d.write('a');
      d.end();
    },
    wire: hex`01 01 61 | 80 00`,
  },
  { name: 'end with a chunk', run: (d) => d.end('a'), wire: hex`81 01 61` },
  { name: 'end with bytes in an encoding', run: (d) => d.end('61', 'hex'), wire: hex`81 01 61` },
  { name: 'end without a message', run: (d) => d.end(), wire: hex`` },
  {
    name: 'nothing after a Close frame',
    run: (d) => {
      d.writeHead({ opcode: 8 }).writeEnd(hex`03e8`);
      d.write('a');
      d.writeHead({ opcode: 9 }).writeEnd('p');
      d.end('b');
    },
    wire: hex`88 02 03e8`,
  },
  {
    name: 'with raw that is the user’s to see to',
    options: { raw: true },
    run: (d) => {
      d.writeHead({ opcode: 8 }).writeEnd();
      d.writeEnd('a');
    },
    wire: hex`88 00 | 81 01 61`,
  },
];

test.each(PROGRAMS)('$name', async ({ options, run, wire }) => {
  const { duplex, wire: sent } = bench(options);
  run(duplex);
  await settled();
  expect(sent()).toBe(Buffer.from(wire).toString('hex'));
  duplex.destroy();
});

test('a client masks each frame with a key of its own', async () => {
  const { duplex, wire } = bench({ mask: true });
  for (let i = 0; i < 300; i++) duplex.write(''); // more than are drawn at once
  await settled();
  const keys = wire().match(/.{12}/g)!;
  expect(keys).toHaveLength(300);
  expect(new Set(keys).size).toBe(300);
  expect(keys[0]).toMatch(/^0180/);
  expect(keys[1]).toMatch(/^0080/);
  duplex.destroy();
});

test("B-42 the caller's buffers are neither changed nor kept", async () => {
  const { duplex, wire } = bench({ mask: true });
  const buffer = Buffer.from('abcd');
  duplex.writeHead({ maskingKey: 0x01010101, length: 8 }).write(buffer);
  duplex.write(buffer);
  expect(buffer.toString()).toBe('abcd');
  buffer.fill(0);
  await settled();
  expect(wire()).toBe(Buffer.from(hex`01 88 01010101 6063626560636265`).toString('hex'));
  duplex.destroy();
});

describe('what is refused changes nothing', () => {
  const REFUSED: [string, Parameters<FrameDuplex['writeHead']>[0]][] = [
    ['opcode', { opcode: 3 as 2 }],
    ['fin', { fin: 1 as unknown as boolean }],
    ['mask', { mask: null as unknown as boolean }],
    ['length', { length: -1 }],
    ['length', { length: 2 ** 53 }],
    ['maskingKey', { maskingKey: 2 ** 32 }],
    ['rsv', { rsv: 8 }],
    ['rsv', { rsv: 4 }],
  ];
  test.each(REFUSED)('a head: %s %j', async (name, head) => {
    const { duplex, wire } = bench();
    expect(() => duplex.writeHead({ opcode: 2, ...head })).toThrow(name);
    duplex.writeEnd('a');
    await settled();
    expect(wire()).toBe('810161');
    duplex.destroy();
  });

  test('a write beyond the declared length', async () => {
    const { duplex, wire } = bench();
    duplex.writeHead({ length: 2 });
    expect(() => duplex.write('abc')).toThrow(RangeError);
    duplex.write('a');
    expect(() => duplex.writeEnd('bc')).toThrow(RangeError);
    duplex.writeEnd('b');
    await settled();
    expect(wire()).toBe('010261628000');
    duplex.destroy();
  });

  test('a control frame over 125 bytes', async () => {
    const { duplex, wire } = bench();
    duplex.writeHead({ opcode: 9 });
    expect(() => duplex.write('p'.repeat(126))).toThrow(RangeError);
    duplex.write('p');
    await settled();
    expect(wire()).toBe('890170');
    duplex.destroy();
  });

  test('what is no bytes', () => {
    const { duplex } = bench();
    for (const chunk of [5, null, {}, new ArrayBuffer(1)])
      expect(() => duplex.write(chunk as unknown as string)).toThrow(TypeError);
    duplex.destroy();
  });
});

test('a message that ends inside a declared frame destroys the source', async () => {
  for (const end of [(d: FrameDuplex): unknown => d.writeEnd('b'), (d: FrameDuplex): unknown => d.end()]) {
    const { duplex, wire } = bench();
    const heard = record(duplex);
    duplex.writeHead({ length: 4 }).write('a');
    end(duplex);
    await closed(duplex);
    expect(heard.error).toBe('WS_ERR_DECLARED_LENGTH');
    expect(duplex.source.destroyed).toBe(true);
    expect(wire()).toMatch(/^(010461)?$/);
  }
});

test('each callback is called once, with what became of it', async () => {
  const results: string[] = [];
  const note =
    (name: string) =>
    (error?: Error | null): unknown =>
      results.push(`${name} ${(error as { code?: string } | null | undefined)?.code ?? 'sent'}`);
  const { duplex } = bench();
  duplex.write('a', note('write'));
  duplex.write('61', 'hex', note('hex'));
  duplex.writeHead({ opcode: 9 }).write('p', note('ping'));
  duplex.writeHead({ length: 3 }).write('a', note('begun'));
  duplex.writeHead({ opcode: 10 }).write('p', note('waiting'));
  duplex.writeEnd('b', undefined, note('short'));
  await closed(duplex);
  duplex.write('c', note('late'));
  await settled();
  expect(results.sort()).toEqual([
    'begun sent',
    'hex sent',
    'late ERR_STREAM_DESTROYED',
    'ping sent',
    'short WS_ERR_DECLARED_LENGTH',
    'waiting WS_ERR_DECLARED_LENGTH',
    'write sent',
  ]);
});

test('after a Close frame callbacks hear so', async () => {
  const { duplex } = bench();
  duplex.writeHead({ opcode: 8 }).writeEnd();
  const error = await new Promise<Error | null | undefined>((resolve) => duplex.write('a', resolve));
  expect(error).toMatchObject({ name: 'StreamError', code: 'WS_ERR_CLOSED' });
  duplex.destroy();
});

describe('the constructor', () => {
  const BAD: [string, FrameDuplexOptions][] = [
    ['role', { role: 'both' as 'any' }],
    ['mask', { mask: 1 as unknown as boolean }],
    ['raw', { raw: 'no' as unknown as boolean }],
    ['skipUTF8Validation', { skipUTF8Validation: 0 as unknown as boolean }],
    ['maxFramePayload', { maxFramePayload: -1 }],
    ['allowedRsv', { allowedRsv: 8 }],
    ['strictLength', { strictLength: 1 as unknown as boolean }],
    ['closeTimeout', { closeTimeout: -1 }],
    ['highWaterMark', { highWaterMark: -1 }],
  ];
  test.each(BAD)('refuses a bad %s, and leaves the source alone', (name, options) => {
    const [source] = duplexPair();
    expect(() => new FrameDuplex(source, options)).toThrow(name);
    expect(source.listenerCount('data')).toBe(0);
    new FrameDuplex(source).destroy();
  });

  test('refuses what is no stream of bytes', () => {
    const [source] = duplexPair();
    source.setEncoding('utf8');
    expect(() => new FrameDuplex(source)).toThrow(TypeError);
    expect(() => new FrameDuplex({} as typeof source)).toThrow(TypeError);
    expect(() => new FrameDuplex(undefined as unknown as typeof source)).toThrow(TypeError);
  });

  test('refuses a source that it has already', () => {
    const [source] = duplexPair();
    const duplex = new FrameDuplex(source);
    expect(() => new FrameDuplex(source)).toThrow(TypeError);
    duplex.destroy();
    expect(() => new FrameDuplex(source)).toThrow(TypeError);
  });
});
