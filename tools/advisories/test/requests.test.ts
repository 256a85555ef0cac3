import { expect } from '@jest/globals';
import fc from 'fast-check';
import { advisory } from './advisory.js';
import { sharedServer, type ServerVictim } from './victims.js';
import { fields, GOOD, request, Wire, type Head, type Headers } from './wire.js';

/** What says that a server refused a request, and that it was the request's fault. */
const REFUSALS = [400, 405, 426, 431];

const REQUIRED = ['Host', 'Upgrade', 'Connection', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version'] as const;

/** RFC 6455 §4.2.1 items 3 and 4: lists, which may come in several lines. */
const LISTS: readonly string[] = ['Upgrade', 'Connection'];

/** A request without one of these is none that switches: beside pages it is for the program. */
const NO_UPGRADE: readonly string[] = ['Upgrade', 'Connection'];

const without = (name: string): Headers => ({ ...GOOD, [name]: undefined });

advisory('header-flood', (check) => {
  const own = sharedServer();
  const attached = sharedServer({ way: 'http', http: { maxHeaderSize: 1 << 20 } });
  const boundless = sharedServer({ options: { maxHeaderSize: 0, maxHeaderCount: 0 } });
  const many = fields(Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`X${i}`, 'a'])));
  const servers = [
    ['a server with its own port', own],
    ['a server beside pages', attached],
    ['a server without limits for heads', boundless],
  ] as const;

  for (const [name, server] of servers) {
    check(`${name}: 2 500 headers before, behind and between those that count`, async () => {
      const statuses = [];
      const [head, tail] = [
        fields({ Host: 'server.example', Upgrade: 'websocket' }),
        fields({ ...GOOD, Host: undefined, Upgrade: undefined }),
      ];
      for (const text of [many + fields(GOOD), fields(GOOD) + many, head + many + tail])
        statuses.push((await server().answerTo(`GET / HTTP/1.1\r\n${text}\r\n`)).status);
      // Beside pages node drops what is behind the 2 000th.
      const [first, ...others] = statuses;
      if (name.includes('without limits')) expect(statuses).toEqual([101, 101, 101]);
      else expect(REFUSALS).toContain(first);
      for (const status of others) expect([101, ...REFUSALS]).toContain(status);
    });

    check(`B-39 ${name}: each required header is missing`, async () => {
      for (const missing of REQUIRED) {
        const { status } = await server().answerTo(request({ [missing]: undefined }));
        // A request that is no upgrade is the program's own, where it has pages.
        const expected = NO_UPGRADE.includes(missing) && name.includes('pages') ? [200] : REFUSALS;
        expect([missing, expected.includes(status), status]).toEqual([missing, true, status]);
      }
    });

    check(`${name}: each required header is missing behind 2 100 others`, async () => {
      const others = fields(Object.fromEntries(Array.from({ length: 2100 }, (_, i) => [`X${i}`, ''])));
      for (const missing of REQUIRED) {
        const { status } = await server().answerTo(`GET / HTTP/1.1\r\n${others}${fields(without(missing))}\r\n`);
        expect([missing, [200, ...REFUSALS].includes(status), status]).toEqual([missing, true, status]);
      }
    });

    check(`${name}: each required header is there twice, the same or another`, async () => {
      for (const doubled of REQUIRED) {
        for (const other of [GOOD[doubled] as string, 'other']) {
          const { status } = await server().answerTo(request({ [doubled]: [GOOD[doubled] as string, other] }));
          const expected = LISTS.includes(doubled) ? [101] : REFUSALS;
          expect([doubled, expected.includes(status), status]).toEqual([doubled, true, status]);
        }
      }
    });

    check(`B-26 ${name}: each required header is empty, a comma, or a blank`, async () => {
      for (const emptied of REQUIRED) {
        for (const value of ['', ',', ' ', '\t,\t']) {
          const { status } = await server().answerTo(request({ [emptied]: value }));
          const expected = NO_UPGRADE.includes(emptied) && name.includes('pages') ? [200, ...REFUSALS] : REFUSALS;
          expect([emptied, value, expected.includes(status), status]).toEqual([emptied, value, true, status]);
        }
      }
    });
  }
});

const BYTES = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 30,
});
const PATHS = fc.oneof(
  fc.constantFrom(
    '*',
    '',
    '?',
    '#',
    '//',
    '/..',
    '/%',
    '/%00',
    '/%ff%fe',
    '/\\',
    '/a b',
    'a',
    ':80',
    '/websocket//',
    '/0/0/websocket',
  ),
  BYTES,
  fc.webPath(),
);
const METHODS = fc.constantFrom('GET', 'POST', 'PUT', 'CONNECT', 'OPTIONS', 'PRI', 'get', 'GETGET');
const NAMES = fc.constantFrom(
  ...Object.keys(GOOD),
  'Origin',
  'Sec-WebSocket-Protocol',
  'Sec-WebSocket-Extensions',
  'Content-Length',
  'Transfer-Encoding',
  'Expect',
  'X',
);
const VALUES = fc.oneof(
  fc.constantFrom('websocket', 'Upgrade', '13', '8', '', 'a, b', 'a;b="c', '"', ';', 'null', 'chunked', '100-continue'),
  BYTES,
);

/** An answer in HTTP, or the end of the connection; never neither. */
async function expectAnswer(victim: ServerVictim, text: string): Promise<void> {
  const { status, start } = await ask(victim, text);
  expect([start === '' || (status >= 100 && status < 500), start]).toEqual([true, start]);
}

/** Ends its half behind the request, so that a server which waits for more need not. */
async function ask(victim: ServerVictim, text: string): Promise<Head> {
  const wire = await Wire.dial(victim.port, true);
  wire.write(text).socket.end();
  const head = await wire.head();
  wire.cut();
  return head;
}

advisory('odd-requests', (check) => {
  const own = sharedServer();
  const attached = sharedServer({ way: 'http', options: { path: '/chat' } });
  for (const [name, server] of [
    ['a server with its own port', own],
    ['a server beside pages', attached],
  ] as const) {
    check(`B-26 ${name}: 300 upgrade requests on odd paths, with odd methods and headers`, async () => {
      const oddRequest = fc.tuple(
        METHODS,
        PATHS,
        fc.array(fc.tuple(NAMES, VALUES), { maxLength: 4 }),
        fc.constantFrom('1.1', '1.0', '0.9', '2.0'),
      );
      await fc.assert(
        fc.asyncProperty(oddRequest, async ([method, path, headers, version]) => {
          const text = fields(Object.fromEntries(headers));
          await expectAnswer(server(), `${method} ${path} HTTP/${version}\r\n${fields(GOOD)}${text}\r\n`);
        }),
        { numRuns: 300 },
      );
    });

    check(`${name}: a second handshake behind the first is frames, and no good ones`, async () => {
      const { path = '/' } = name.includes('pages') ? { path: '/chat' } : {};
      const wire = await server().open({}, { path });
      expect(await wire.write(request({}, `GET ${path} HTTP/1.1`)).closeCode()).toBe(1002);
    });

    check(`${name}: a handshake behind a request with a body whose length is said in two ways`, async () => {
      const smuggled = request({}, `GET ${name.includes('pages') ? '/chat' : '/'} HTTP/1.1`);
      for (const headers of [
        { 'Content-Length': '4', 'Transfer-Encoding': 'chunked' },
        { 'Content-Length': ['0', String(smuggled.length)] },
        { 'Transfer-Encoding': ['chunked', 'identity'] },
        { 'Transfer-Encoding': 'chunked, chunked' },
        { 'Content-Length': '+0' },
        { 'Content-Length': '0x0' },
      ]) {
        const { status } = await ask(server(), `${request(headers)}0\r\n\r\n${smuggled}`);
        expect([headers, status === 0 || (status >= 400 && status < 500)]).toEqual([headers, true]);
      }
    });

    check(`${name}: 100 times what is no HTTP at all`, async () => {
      await fc.assert(
        fc.asyncProperty(BYTES, (text) => expectAnswer(server(), `${text}\r\n\r\n`)),
        { numRuns: 100 },
      );
    });
  }
});

advisory('odd-queries', (check) => {
  const server = sharedServer({ options: { path: '/chat' } });
  const KEYS = fc.constantFrom('transport', 'EIO', 'sid', '__proto__', 'constructor[prototype]', 'a[]', '');
  const WORDS = fc.oneof(
    fc.constantFrom('polling', 'websocket', '__proto__', 'toString', '%', '%00', '%ff', '[]', '&&', '=='),
    fc.webQueryParameters(),
  );

  check('200 queries of garbage are let in as if there were none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(KEYS, WORDS), { maxLength: 5 }), async (pairs) => {
        const query = pairs.map(([key, word]) => `${key}=${word}`).join('&');
        const { status } = await server().answerTo(request({}, `GET /chat?${query} HTTP/1.1`));
        expect(status).toBe(101);
      }),
      { numRuns: 200 },
    );
  });

  check('a query does not make a path: `/?/chat` is not served', async () => {
    for (const target of ['/?/chat', '/chat/?', '/chat%3F', '//chat', '/./chat', '/CHAT'])
      expect((await server().answerTo(request({}, `GET ${target} HTTP/1.1`))).status).toBe(400);
  });
});

advisory('draft-handshakes', (check) => {
  const server = sharedServer();
  const OTHERS = ['0', '4', '6', '7', '8', '12', '14', '255', '', '013', '+13', '13.0', 'x', '13, 8', '8, 13'];

  for (const version of OTHERS) {
    check(`Sec-WebSocket-Version: ${version || '(empty)'} is told that 13 is spoken`, async () => {
      const { status, headers } = await server().answerTo(request({ 'Sec-WebSocket-Version': version }));
      expect([400, 426]).toContain(status);
      expect(headers.get('sec-websocket-version')).toEqual(['13']);
    });
  }

  check('a version that is a number and not ours: 426', async () => {
    expect((await server().answerTo(request({ 'Sec-WebSocket-Version': '8' }))).status).toBe(426);
  });

  check('draft 75: no key, and an origin', async () => {
    const text =
      'GET / HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nHost: server.example\r\nOrigin: http://server.example\r\n\r\n';
    const { status, headers } = await server().answerTo(text);
    expect([status, headers.get('sec-websocket-version')]).toEqual([400, ['13']]);
  });

  check('draft 76: two keys, and eight bytes behind the head', async () => {
    const text = `GET / HTTP/1.1\r\n${fields({
      Host: 'server.example',
      Upgrade: 'WebSocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key1': '4 @1  46546xW%0l 1 5',
      'Sec-WebSocket-Key2': '12998 5 Y3 1  .P00',
      Origin: 'http://server.example',
    })}\r\n^n:ds[4U`;
    const { status, headers } = await server().answerTo(text);
    expect([status, headers.get('sec-websocket-version')]).toEqual([400, ['13']]);
  });

  check('a draft-76 frame behind a good handshake: 1002', async () => {
    const wire = await server().open();
    wire.write(Buffer.from([0x00, 0x48, 0x65, 0xff])); // a continuation to us, with no message before it and no mask
    expect(await wire.closeCode()).toBe(1002);
  });
});

advisory('absolute-form', (check) => {
  const own = sharedServer({ options: { path: '/chat' } });
  const guarded = sharedServer({ hooks: { verifyClient: 'refuse' } });
  const FOREIGN = [
    'http://169.254.169.254/',
    'http://169.254.169.254/latest/meta-data/',
    'https://server.example:8443/chat',
    'http://server.example:81/chat',
    'http://server.example.evil.example/chat',
    'http://user@server.example/chat',
    'http://server.example@evil.example/chat',
    'http://evil.example\\@server.example/chat',
    'http:///chat',
    'http:/chat',
    'ws://server.example/chat',
    'file:///etc/passwd',
    'server.example:80',
    '*',
  ];

  for (const target of FOREIGN) {
    check(`GET ${target} is 400`, async () => {
      expect((await own().answerTo(request({}, `GET ${target} HTTP/1.1`))).status).toBe(400);
    });
  }

  check('our own host in absolute form is taken for its path, and the path counts', async () => {
    expect((await own().answerTo(request({}, 'GET http://server.example/chat HTTP/1.1'))).status).toBe(101);
    expect((await own().answerTo(request({}, 'GET http://server.example/other HTTP/1.1'))).status).toBe(400);
    expect(
      (await own().answerTo(request({ Origin: 'http://evil.example' }, 'GET http://server.example/chat HTTP/1.1')))
        .status,
    ).toBe(403);
  });

  check('`verifyClient` is asked, in whatever form the target comes', async () => {
    for (const target of ['/', 'http://server.example/', '//server.example/'])
      expect((await guarded().answerTo(request({}, `GET ${target} HTTP/1.1`))).status).toBe(401);
  });
});
