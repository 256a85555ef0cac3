import { expect } from '@jest/globals';
import { advisory } from './advisory.js';
import { LINEAR, timeRatio } from './ratio.js';
import { accepting, hostile, sharedClient, sharedServer } from './victims.js';
import { request, Wire } from './wire.js';

/** Heads of 64 KiB are let through, so that it is the grammars that are measured. */
const ROOM = 131_072;

const repeat = (unit: string, length: number): string => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
const distinct = (length: number, between: string): string =>
  Array.from({ length: length >> 3 }, (_, at) => `p${at}`).join(between);

type Input = (length: number) => string;

const SUBPROTOCOLS: Record<string, Input> = {
  'a name, blanks, a name': (n) => `b${repeat(' ', n)}x`,
  'blanks alone': (n) => `a,${repeat(' \t', n)},b`,
  commas: (n) => repeat(',', n),
  'commas and blanks': (n) => repeat(' , ', n),
  'many names': (n) => distinct(n, ','),
  'one name again and again': (n) => repeat('a,', n),
  'one long name': (n) => repeat('a', n),
};

const EXTENSIONS: Record<string, Input> = {
  'a quoted string that is not closed': (n) => `a; b="${repeat('\\a', n)}`,
  'a quoted string of backslashes': (n) => `a; b="${repeat('\\', n)}`,
  'a closed one': (n) => `a; b="${repeat('\\a', n)}"`,
  'quotes that open and never close': (n) => repeat('a;b="c,', n),
  'many closed ones': (n) => `a${repeat(';b="c"', n - (n % 6))}`,
  'blanks before what is wrong': (n) => `a${repeat(' ', n)}x`,
  'many extensions': (n) => distinct(n, ','),
  'many parameters': (n) => distinct(n, ';'),
  'one parameter again and again': (n) => `permessage-deflate${repeat('; client_max_window_bits', n - (n % 25) - 1)}`,
  'one offer again and again, and never right': (n) => repeat('permessage-deflate;a,', n - (n % 21)),
  commas: (n) => repeat(',', n),
  semicolons: (n) => `a${repeat(';', n)}`,
};

const OTHERS: Record<string, Input> = {
  Connection: (n) => distinct(n, ', '),
  Upgrade: (n) => repeat('a, ', n),
  Origin: (n) => `http://${repeat('1.', n)}`,
  'Sec-WebSocket-Key': (n) => repeat('A', n),
  'Sec-WebSocket-Version': (n) => repeat('1', n),
  Cookie: (n) => repeat('a=b; ', n),
};

/** Measured on both ends: in a request, and in the answer to one. */
function ratios(
  check: (name: string, run: () => Promise<void>) => void,
  header: string,
  inputs: Record<string, Input>,
): void {
  const server = sharedServer({ options: { maxHeaderSize: ROOM, perMessageDeflate: true } });
  for (const [name, input] of Object.entries(inputs)) {
    const header_ = header === '' ? name : header;
    check(`a server, ${header_}: ${name}`, async () => {
      const ratio = await timeRatio(server(), async (length) => {
        const wire = await Wire.dial(server().port);
        const { status } = await wire.write(request({ [header_]: input(length) })).head();
        expect([101, 400, 403, 426]).toContain(status);
        wire.cut();
      });
      expect(ratio).toBeLessThan(LINEAR);
    });
  }
}

advisory('subprotocol-time', (check) => {
  ratios(check, 'Sec-WebSocket-Protocol', SUBPROTOCOLS);
  ratios(check, '', OTHERS);
  onClients(check, 'Sec-WebSocket-Protocol', SUBPROTOCOLS);
});

advisory('quoted-string-time', (check) => {
  ratios(check, 'Sec-WebSocket-Extensions', EXTENSIONS);
  onClients(check, 'Sec-WebSocket-Extensions', EXTENSIONS);
});

function onClients(
  check: (name: string, run: () => Promise<void>) => void,
  header: string,
  inputs: Record<string, Input>,
): void {
  const client = sharedClient();
  for (const [name, input] of Object.entries(inputs)) {
    check(`a client, ${header}: ${name}`, async () => {
      let length = 0;
      const url = await hostile(({ wire, request: head }) => {
        wire.write(accepting(head, { [header]: input(length) }));
      });
      const ratio = await timeRatio(client(), async (of) => {
        length = of;
        const { opened } = await client().outcome({ url, protocols: ['a'], options: { maxHeaderSize: ROOM } });
        expect(opened).toBe(false);
      });
      expect(ratio).toBeLessThan(LINEAR);
    });
  }
}

advisory('head-byte-by-byte', (check) => {
  const server = sharedServer({ way: 'bytes', http: { maxHeaderSize: ROOM }, options: { maxHeaderSize: 0 } });
  const client = sharedClient();

  check('B-04 a request of 64 KiB in chunks of one byte takes a server no more than four times one of 16', async () => {
    const ratio = await timeRatio(
      server(),
      async (length) => {
        const wire = await Wire.dial(server().port);
        expect((await wire.write(request({ 'X-Long': repeat('a', length) })).head()).status).toBe(101);
        wire.cut();
      },
      3,
    );
    expect(ratio).toBeLessThan(LINEAR);
  });

  check('an answer of 64 KiB in chunks of one byte takes a client no more than four times one of 16', async () => {
    let length = 0;
    const url = await hostile(({ wire, request: head }) => {
      wire.write(accepting(head, { 'X-Long': repeat('a', length) })).socket.end();
    });
    const ratio = await timeRatio(
      client(),
      async (of) => {
        length = of;
        const ending = await client().outcome({ url, byteByByte: true, options: { maxHeaderSize: ROOM } });
        expect(ending.opened).toBe(true);
      },
      3,
    );
    expect(ratio).toBeLessThan(LINEAR);
  });

  check('B-04 heads have a largest size on both ends, however they come', async () => {
    const small = await sharedSmall().answerTo(request({ 'X-Long': repeat('a', 20_000) }));
    expect(small.status).toBe(431);
    const url = await hostile(({ wire, request: head }) => {
      wire.write(accepting(head, { 'X-Long': repeat('a', 20_000) }));
    });
    expect(await client().outcome({ url, byteByByte: true })).toMatchObject({ error: 'HPE_HEADER_OVERFLOW' });
  });

  check('the measure tells quadratic work from linear', async () => {
    const ratio = await timeRatio(client(), (length) => client().ask('square', length), 3);
    expect(ratio).toBeGreaterThan(LINEAR);
  });

  const sharedSmall = sharedServer();
});
