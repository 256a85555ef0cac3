import { expect } from '@jest/globals';
import { advisory } from './advisory.js';
import { accepting, hostile, sharedClient, sharedServer } from './victims.js';
import { request } from './wire.js';

advisory('crlf-injection', (check) => {
  const client = sharedClient();

  check('CR, LF, NUL and what is beyond latin1, in each option of a client', async () => {
    const heads: string[] = [];
    const url = await hostile(({ wire, request: head }) => {
      heads.push(head.text);
      wire.write(accepting(head));
    });
    const results = await client().ask<{ name: string; must: boolean; outcome: string }[]>('injections', url);
    expect(results.length).toBeGreaterThan(100);
    // What has to throw does so at the call; what does not is encoded or left out, and the request is a good one.
    for (const { name, must, outcome } of results)
      expect([name, outcome]).toEqual([
        name,
        must ? expect.stringMatching(/^(Type|Syntax)Error$/) : expect.stringMatching(/^(opened|(Type|Syntax)Error)$/),
      ]);
    expect(heads).toHaveLength(results.filter(({ outcome }) => outcome === 'opened').length);
    expect(heads.filter((head) => /^x-injected/im.test(head) || head.includes('\0'))).toEqual([]);
    for (const head of heads) expect(head).toMatch(/^GET \/[!-~]* HTTP\/1\.1\r\n([!-9;-~]+: [ -~]*\r\n)+\r\n$/);
  });

  const HOOKS = [
    {
      name: "in the reason of `verifyClient`'s refusal: the body alone",
      hooks: { verifyClient: 'injectReason' },
      status: 401,
    },
    { name: "in a header of `verifyClient`'s refusal", hooks: { verifyClient: 'injectHeader' }, status: 500 },
    { name: "in the name of a header of `verifyClient`'s refusal", hooks: { verifyClient: 'injectName' }, status: 500 },
    { name: 'in the answer of `handleProtocols`', hooks: { handleProtocols: 'injectProtocol' }, status: 500 },
  ] as const;
  for (const { name, hooks, status } of HOOKS) {
    const server = sharedServer({ hooks });
    check(`CR LF ${name}, on a server`, async () => {
      const head = await server().answerTo(request({ 'Sec-WebSocket-Protocol': 'a' }));
      expect([head.status, head.headers.has('x-injected')]).toEqual([status, false]);
    });
  }

  const server = sharedServer();
  check('what a request has of it does not come back in the head of an answer', async () => {
    for (const header of [
      'Sec-WebSocket-Protocol',
      'Sec-WebSocket-Extensions',
      'Sec-WebSocket-Key',
      'Host',
      'Origin',
    ]) {
      for (const poison of ['a\rX-Injected: 1', 'a\nX-Injected: 1', 'a\0', 'a\u00e9', 'a%0d%0aX-Injected: 1']) {
        const { status, headers, text } = await server().answerTo(request({ [header]: poison }));
        expect([header, poison, status === 101 || status >= 400]).toEqual([header, poison, true]);
        expect(headers.has('x-injected')).toBe(false);
        expect(text).not.toMatch(/[^\r]\n|\r[^\n]|\0/);
      }
    }
  });
});
