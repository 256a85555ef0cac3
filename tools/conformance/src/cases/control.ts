import { aPing, aPong, aText, clean, closes, fails, isCut } from '../expect.js';
import { awaits, binary, bytes, close, closeWith, continuation, frame, noise, ping, pong, text } from '../input.js';
import { frameTable, type FrameRow } from '../table.js';

// Control frames, §5.5.

const PING_PAYLOADS: readonly { name: string; payload: string | Buffer }[] = [
  { name: 'empty', payload: '' },
  { name: 'one-byte', payload: 'x' },
  { name: 'text', payload: 'Hello, κόσμε' },
  { name: '124', payload: noise(124) },
  { name: '125', payload: noise(125) },
  { name: 'ff', payload: Buffer.from([0xff]) },
  { name: 'not-utf8', payload: Buffer.from([0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xfe, 0xff, 0x00]) },
  { name: 'zeros', payload: Buffer.alloc(125) },
  { name: 'looks-like-frames', payload: Buffer.from([0x81, 0x01, 0x41, 0x88, 0x00, 0x89, 0x00]) },
];

const echoes: FrameRow[] = PING_PAYLOADS.flatMap(({ name, payload }): FrameRow[] => [
  {
    id: `ping-${name}`,
    section: '§5.5.3',
    title: `a ping comes back as a pong with the same bytes: ${name}`,
    input: [ping(payload), awaits('pong', 1)],
    expect: clean(aPing(payload)),
  },
  {
    id: `pong-${name}`,
    section: '§5.5.3',
    title: `an unsolicited pong is not answered: ${name}`,
    input: [pong(payload), text('next')],
    expect: clean(aPong(payload), aText('next')),
  },
]);

const CONTROLS = [
  { name: 'close', opcode: 0x8 },
  { name: 'ping', opcode: 0x9 },
  { name: 'pong', opcode: 0xa },
];

/** A good payload for all three: as a close payload it is 1000 and a reason. */
const FIVE_BYTES = Buffer.from([3, 232, 97, 98, 99]);

const LENGTH = 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH';
const FIN = 'WS_ERR_EXPECTED_FIN';

const broken: FrameRow[] = CONTROLS.flatMap(({ name, opcode }): FrameRow[] => [
  {
    id: `${name}-126`,
    section: '§5.5',
    title: `a ${name} frame of 126 bytes`,
    input: [frame(opcode, Buffer.concat([Buffer.from([3, 232]), Buffer.alloc(124, 'a')]))],
    expect: fails(1002, LENGTH),
  },
  {
    id: `${name}-65536`,
    section: '§5.5',
    title: `a ${name} frame that announces 65536 bytes`,
    input: [frame(opcode, '', { announced: 65_536 })],
    expect: fails(1002, LENGTH),
  },
  {
    id: `${name}-16-bit-length`,
    section: '§5.5',
    title: `a ${name} frame of five bytes, announced in 16 bits`,
    input: [frame(opcode, FIVE_BYTES, { lengthBits: 16 })],
    expect: fails(1002, LENGTH),
  },
  {
    id: `${name}-64-bit-length`,
    section: '§5.5',
    title: `a ${name} frame of five bytes, announced in 64 bits`,
    input: [frame(opcode, FIVE_BYTES, { lengthBits: 64 })],
    expect: fails(1002, LENGTH),
  },
  {
    id: `${name}-fragmented-empty`,
    section: '§5.5',
    title: `an empty ${name} frame without FIN`,
    input: [frame(opcode, '', { fin: false })],
    expect: fails(1002, FIN),
  },
  {
    id: `${name}-fragmented`,
    section: '§5.5',
    title: `a ${name} frame in two fragments`,
    input: [frame(opcode, FIVE_BYTES, { fin: false }), continuation('rest')],
    expect: fails(1002, FIN),
  },
  {
    id: `${name}-fragmented-inside`,
    section: '§5.5',
    title: `a ${name} frame without FIN between two fragments of a message`,
    input: [text('Hel', { fin: false }), frame(opcode, '', { fin: false }), continuation('lo')],
    expect: fails(1002, FIN),
  },
]);

const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `ping ${i}`);

const between: FrameRow[] = [
  {
    id: 'ping-inside-text',
    section: '§5.4',
    title: 'a ping between two fragments is answered before the message is complete',
    input: [text('Hel', { fin: false }), ping('now'), awaits('pong', 1), continuation('lo')],
    expect: clean(aPing('now'), aText('Hello')),
  },
  {
    id: 'ping-inside-binary',
    section: '§5.4',
    title: 'pings of 125 bytes after each fragment',
    input: [
      binary('a', { fin: false }),
      ping(noise(125)),
      awaits('pong', 1),
      continuation('b', { fin: false }),
      ping(noise(124)),
      awaits('pong', 2),
      continuation('c'),
    ],
    expect: clean(aPing(noise(125)), aPing(noise(124)), { type: 'binary', data: Buffer.from('abc') }),
  },
  {
    id: 'pong-inside',
    section: '§5.4',
    title: 'a pong between two fragments',
    input: [text('Hel', { fin: false }), pong('unasked'), continuation('lo')],
    expect: clean(aPong('unasked'), aText('Hello')),
  },
  {
    id: 'ping-inside-code-point',
    section: '§5.4',
    title: 'a ping between the bytes of one code point',
    input: [text(Buffer.from([0xe2, 0x82]), { fin: false }), ping('x'), continuation(Buffer.from([0xac]))],
    expect: clean(aPing('x'), aText('€')),
  },
  {
    id: 'ten-pings-inside',
    section: '§5.4',
    title: 'ten pings in the middle of a message, in one segment',
    input: [text('Hel', { fin: false }), ...many(10).map((name) => ping(name)), continuation('lo')],
    expect: clean(...many(10).map(aPing), aText('Hello')),
  },
  {
    id: 'ping-before-and-after',
    section: '§5.5.2',
    title: 'a ping before and a ping after a message',
    input: [ping('before'), text('message'), ping('after')],
    expect: clean(aPing('before'), aText('message'), aPing('after')),
  },
  {
    id: 'ten-pings',
    section: '§5.5.3',
    title: 'ten pings in one segment: at least the last is answered',
    input: many(10).map((name) => ping(name)),
    expect: clean(...many(10).map(aPing)),
  },
  {
    id: 'hundred-pings',
    section: '§5.5.3',
    title: 'a hundred pings in one segment are no offence',
    input: many(100).map((name) => ping(name)),
    expect: clean(...many(100).map(aPing)),
  },
  {
    id: 'ten-pings-one-by-one',
    section: '§5.5.2',
    title: 'ten pings, each sent after the pong for the one before: all are answered',
    input: many(10).flatMap((name, i) => [ping(name), awaits('pong', i + 1)]),
    expect: clean(...many(10).map(aPing)),
  },
  {
    id: 'pongs-between-pings',
    section: '§5.5.3',
    title: 'pongs among pings',
    input: [pong('a'), ping('b'), pong('c'), ping('d')],
    expect: clean(aPong('a'), aPing('b'), aPong('c'), aPing('d')),
  },
  {
    id: 'ping-then-close',
    section: '§5.5.2',
    title: 'a ping directly before the close frame is answered first',
    input: [ping('last words'), close(1001)],
    expect: closes(1001, '', aPing('last words')),
    note: 'the pong is due because the close frame had not come yet when the ping came',
  },
  {
    id: 'ping-before-violation',
    section: '§5.5.2',
    title: 'a ping directly before a broken frame',
    input: [ping('hello'), frame(0xf)],
    expect: { ...fails(1002, 'WS_ERR_INVALID_OPCODE', aPing('hello')), pongs: 'any' },
    note: 'failing the connection ends all duties; the pong may be lost',
  },
  {
    id: 'auto-pong-off',
    section: '§5.5.2',
    title: 'autoPong false: the application answers, or does not',
    options: { autoPong: false },
    input: [ping('for you')],
    expect: { ...clean(aPing('for you')), pongs: 'no' },
  },
  {
    id: 'ping-payload-late',
    section: '§5.5.2',
    title: 'a ping whose payload never comes is not answered',
    input: [ping('hal', { announced: 6 })],
    expect: isCut(),
  },
  {
    id: 'close-one-byte',
    section: '§5.5.1',
    title: 'a close frame with one byte of payload',
    input: [closeWith(Buffer.from([0x03]))],
    expect: fails(1002, LENGTH),
  },
  {
    id: 'control-header-64-zero',
    section: '§5.5',
    title: 'an empty ping, announced in 64 bits',
    role: 'client',
    input: [bytes('89 7f 00 00 00 00 00 00 00 00')],
    expect: fails(1002, LENGTH),
  },
];

export const control = frameTable('control', [...echoes, ...broken, ...between]);
