import { expect } from '@jest/globals';
import { advisory } from './advisory.js';
import { accepting, hostile, sharedClient, sharedServer } from './victims.js';
import { frame, request, TEXT } from './wire.js';

/** Values that no window has: RFC 7692 §7.1.2, 8 to 15, in decimal digits without a leading zero. */
const BAD_BITS = [
  '999',
  '7',
  '16',
  '0',
  '-1',
  '+9',
  '08',
  '008',
  '9.0',
  '9e0',
  '0x9',
  '1e1',
  'a',
  '2147483648',
  '9'.repeat(400),
  '"16"',
  '"0"',
  '""',
  'NaN',
  'Infinity',
];
const GOOD_BITS = ['8', '9', '10', '11', '12', '13', '14', '15', '"8"', '"15"', '"1\\5"'];
const BITS = ['server_max_window_bits', 'client_max_window_bits'];
const FLAGS = ['server_no_context_takeover', 'client_no_context_takeover'];

/** Grammatical, and of no meaning. */
const MEANINGLESS = [
  ...BITS.flatMap((name) => BAD_BITS.filter((bits) => !'+"'.includes(bits[0] ?? '')).map((bits) => `${name}=${bits}`)),
  ...BITS.flatMap((name) => [`${name}="16"`, `${name}="0"`, `${name}=10; ${name}=10`, `${name}=10; ${name}`]),
  'server_max_window_bits',
  ...FLAGS.flatMap((name) => [`${name}=1`, `${name}=true`, `${name}="a"`, `${name}; ${name}`]),
  'unknown',
  'unknown=10',
  'max_window_bits=10',
  'server_max_window_bit=10',
];

/** No extension list at all: RFC 6455 §9.1. */
const UNGRAMMATICAL = [
  'server_max_window_bits=',
  'server_max_window_bits==9',
  '=9',
  ';',
  'a b',
  'server_max_window_bits="9',
  'server_max_window_bits=9"',
  '\u00e9',
];

advisory('window-bits', (check) => {
  const server = sharedServer({ options: { perMessageDeflate: true } });
  const taking = sharedServer({
    options: {
      perMessageDeflate: {
        serverNoContextTakeover: 'as-offered',
        clientNoContextTakeover: false,
        serverMaxWindowBits: 10,
      },
    },
  });
  const client = sharedClient();

  for (const parameters of MEANINGLESS) {
    const shown = parameters.length > 60 ? `${parameters.slice(0, 60)}…` : parameters;

    check(`a server declines: ${shown}`, async () => {
      for (const victim of [server(), taking()]) {
        const { status, headers } = await victim.answerTo(
          request({ 'Sec-WebSocket-Extensions': `permessage-deflate; ${parameters}` }),
        );
        expect([status, headers.get('sec-websocket-extensions')]).toEqual([101, undefined]);
        // The next offer has its turn.
        const next = await victim.answerTo(
          request({
            'Sec-WebSocket-Extensions': `permessage-deflate; ${parameters}, permessage-deflate; server_max_window_bits=10`,
          }),
        );
        expect(next.headers.get('sec-websocket-extensions')?.[0]).toContain('server_max_window_bits=10');
      }
    });

    check(`a client fails the connection: ${shown}`, async () => {
      const url = await hostile(({ wire, request: head }) => {
        wire.write(accepting(head, { 'Sec-WebSocket-Extensions': `permessage-deflate; ${parameters}` }));
      });
      expect(await client().outcome({ url })).toMatchObject({
        opened: false,
        error: 'WS_ERR_INVALID_DEFLATE_PARAMETERS',
      });
    });
  }

  for (const parameters of UNGRAMMATICAL) {
    check(`a server answers 400: ${parameters}`, async () => {
      const { status } = await server().answerTo(
        request({ 'Sec-WebSocket-Extensions': `permessage-deflate; ${parameters}` }),
      );
      expect(status).toBe(400);
    });

    check(`a client fails the connection, for it is no list: ${parameters}`, async () => {
      const url = await hostile(({ wire, request: head }) => {
        wire.write(accepting(head, { 'Sec-WebSocket-Extensions': `permessage-deflate; ${parameters}` }));
      });
      expect(await client().outcome({ url })).toMatchObject({ opened: false, error: 'WS_ERR_INVALID_EXTENSIONS' });
    });
  }

  check('a server agrees to each good number, and echoes what is compressed', async () => {
    for (const bits of GOOD_BITS) {
      for (const name of BITS) {
        const wire = await server().open({ 'Sec-WebSocket-Extensions': `permessage-deflate; ${name}=${bits}` });
        expect([name, bits, await wire.echoes('short')]).toEqual([name, bits, true]);
      }
    }
  });

  check('a client fails what it did not offer: the extension twice, or a window larger than it asked for', async () => {
    let answer = '';
    const url = await hostile(({ wire, request: head }) => {
      wire.write(accepting(head, { 'Sec-WebSocket-Extensions': answer }));
    });
    for (answer of [
      'permessage-deflate, permessage-deflate',
      'permessage-deflate; server_max_window_bits=11',
      'permessage-deflate; client_max_window_bits=9',
      'permessage-deflate',
      'permessage-bzip2',
    ]) {
      const options = { perMessageDeflate: { serverMaxWindowBits: 10, clientMaxWindowBits: false } };
      const { opened, error } = await client().outcome({ url, options });
      expect([answer, opened, error]).toEqual([
        answer,
        false,
        expect.stringMatching(/^WS_ERR_(INVALID_DEFLATE_PARAMETERS|UNEXPECTED_EXTENSION|INVALID_EXTENSIONS)$/),
      ]);
    }
    answer = 'permessage-deflate';
    const { opened, error } = await client().outcome({ url, options: { perMessageDeflate: false } });
    expect([opened, error]).toEqual([false, 'WS_ERR_UNEXPECTED_EXTENSION']);
  });

  check('the frame of an extension that was declined: RSV1 is 1002', async () => {
    const wire = await server().open({ 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=999' });
    expect(await wire.write(frame(TEXT, 'a', { rsv: 4 })).closeCode()).toBe(1002);
  });
});
