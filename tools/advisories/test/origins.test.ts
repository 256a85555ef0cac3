import { expect } from '@jest/globals';
import { advisory } from './advisory.js';
import { sharedServer } from './victims.js';
import { request } from './wire.js';

/** Whether a server that says nothing about origins lets a browser in. */
const PAIRS: [origin: string, host: string, isLetIn: boolean][] = [
  ['http://app.example', 'app.example', true],
  ['https://app.example', 'app.example', true],
  ['http://app.example', 'app.example:80', true],
  ['https://app.example:443', 'app.example', true],
  ['https://APP.example', 'app.EXAMPLE', true],
  ['http://localhost:8080', 'localhost:8080', true],
  ['http://127.0.0.1:8080', '127.0.0.1:8080', true],
  ['http://[::1]:8080', '[::1]:8080', true],

  ['http://evil.example', 'app.example', false],
  ['https://evil.example', 'app.example', false],
  ['http://app.example.evil.example', 'app.example', false],
  ['http://evilapp.example', 'app.example', false],
  ['http://sub.app.example', 'app.example', false],
  ['http://example', 'app.example', false],
  ['http://app.example:8080', 'app.example', false],
  ['http://app.example', 'app.example:8080', false],
  ['https://app.example', 'app.example:80', false],
  ['http://app.example.', 'app.example', false],
  ['null', 'app.example', false],
  ['null', 'null', false],
  ['file://', 'app.example', false],
  ['file://app.example', 'app.example', false],
  ['chrome-extension://app.example', 'app.example', false],
  ['app.example', 'app.example', false],
  ['//app.example', 'app.example', false],
  ['http:app.example', 'app.example', false],
  ['http://app.example/', 'app.example', false],
  ['http://app.example/path', 'app.example', false],
  ['http://user@app.example', 'app.example', false],
  ['http://app.example@evil.example', 'app.example', false],
  ['http://evil.example#app.example', 'app.example', false],
  ['http://evil.example?app.example', 'app.example', false],
  ['http://evil.example\\app.example', 'app.example', false],
  ['http://app.example http://evil.example', 'app.example', false],
  ['http://app.example, http://evil.example', 'app.example', false],
  ['', 'app.example', false],
  // An address is the same address in one spelling only.
  ['http://127.0.0.1', '127.1', false],
  ['http://127.1', '127.0.0.1', false],
  ['http://2130706433', '127.0.0.1', false],
  ['http://2130706433', '2130706433', false],
  ['http://0x7f000001', '127.0.0.1', false],
  ['http://0177.0.0.1', '127.0.0.1', false],
  ['http://127.0.0.1', 'localhost', false],
  ['http://localhost', '127.0.0.1', false],
  ['http://[::ffff:127.0.0.1]', '127.0.0.1', false],
  ['http://[::1]', '[0:0:0:0:0:0:0:1]', false],
  ['http://169.254.169.254', '127.0.0.1', false],
  ['http://0.0.0.0', '127.0.0.1', false],
];

advisory('foreign-origins', (check) => {
  const server = sharedServer();

  check('a page of another host is refused without an option: 403, and the body names the option', async () => {
    const { status } = await server().answerTo(request({ Origin: 'https://evil.example' }));
    expect(status).toBe(403);
    expect(await server().refusals()).toEqual([{ reason: 'origins', code: null }]);
  });

  check('who sends no Origin is no browser, and let in', async () => {
    expect((await server().answerTo(request())).status).toBe(101);
  });

  check('two Origins, the second of which is right', async () => {
    const { status } = await server().answerTo(request({ Origin: ['http://evil.example', 'http://server.example'] }));
    expect(status).toBe(400);
  });

  check('B-20 the origin of version 8 is not believed in its place', async () => {
    const headers = { Origin: 'http://evil.example', 'Sec-WebSocket-Origin': 'http://server.example' };
    expect((await server().answerTo(request(headers))).status).toBe(403);
  });
});

advisory('cross-site', (check) => {
  const own = sharedServer();
  const attached = sharedServer({ way: 'http' });
  for (const [origin, host, isLetIn] of PAIRS) {
    check(`a page of ${origin || '(nothing)'} at ${host}: ${isLetIn ? 'let in' : 'refused'}`, async () => {
      for (const victim of [own(), attached()]) {
        const { status } = await victim.answerTo(request({ Origin: origin, Host: host }));
        expect([status, [101, 400, 403].includes(status)]).toEqual([isLetIn ? 101 : status, true]);
        expect(status === 101).toBe(isLetIn);
      }
    });
  }

  const listed = sharedServer({ options: { origins: ['https://app.example'] } });
  check('a list has whole origins: scheme and port count', async () => {
    const letIn = async (origin: string): Promise<boolean> =>
      (await listed().answerTo(request({ Origin: origin, Host: 'anything.example' }))).status === 101;
    expect(await letIn('https://app.example')).toBe(true);
    expect(await letIn('https://app.example:443')).toBe(true);
    for (const origin of [
      'http://app.example',
      'https://app.example:444',
      'https://sub.app.example',
      'https://anything.example',
      'null',
    ])
      expect([origin, await letIn(origin)]).toEqual([origin, false]);
  });

  // A name of the attacker's that points here: Origin and Host are the same, and both are his.
  const rebound = sharedServer({
    options: { allowedHosts: ['localhost', '127.0.0.1', '[::1]', '.app.example', 'dev.example:8080'] },
    innocent: { Host: 'localhost' },
  });
  const HOSTS: [host: string, isLetIn: boolean][] = [
    ['localhost', true],
    ['localhost:3000', true],
    ['LOCALHOST', true],
    ['127.0.0.1:3000', true],
    ['[::1]:3000', true],
    ['app.example', true],
    ['sub.app.example', true],
    ['dev.example:8080', true],
    ['dev.example', false],
    ['dev.example:8081', false],
    ['evil.example', false],
    ['evil.example:3000', false],
    ['localhost.evil.example', false],
    ['evilapp.example', false],
    ['127.0.0.1.evil.example', false],
    ['127.0.0.2', false],
    ['0.0.0.0', false],
    ['2130706433', false],
    ['[::ffff:7f00:1]', false],
    ['169.254.169.254', false],
  ];
  for (const [host, isLetIn] of HOSTS) {
    check(
      `\`allowedHosts\`: a page of http://${host} at ${host} is ${isLetIn ? 'let in' : 'refused'}, and so is no page`,
      async () => {
        const page = await rebound().answerTo(request({ Host: host, Origin: `http://${host}` }));
        const program = await rebound().answerTo(request({ Host: host }));
        // A spelling that browsers do not have is nobody's origin.
        expect([page.status === 101, program.status]).toEqual([isLetIn, isLetIn ? 101 : 403]);
      },
    );
  }

  check('`allowedHosts` is asked of the Host header alone, not of what a proxy may add', async () => {
    const headers = { Host: 'evil.example', 'X-Forwarded-Host': 'localhost', Forwarded: 'host=localhost' };
    expect((await rebound().answerTo(request(headers))).status).toBe(403);
    const absolute = await rebound().answerTo(request({ Host: 'evil.example' }, 'GET http://localhost/ HTTP/1.1'));
    expect(absolute.status).toBe(400);
  });
});
