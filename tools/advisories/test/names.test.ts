import { expect } from '@jest/globals';
import { advisory } from './advisory.js';
import { accepting, hostile, sharedClient, sharedServer } from './victims.js';
import { request } from './wire.js';

/** What a plain object has without being told, and words that some object has. */
const INHERITED = [...Object.getOwnPropertyNames(Object.prototype), 'prototype', 'then', 'toJSON', 'length', 'name'];

advisory('prototype-extension', (check) => {
  const plain = sharedServer();
  const compressing = sharedServer({ options: { perMessageDeflate: true } });
  const client = sharedClient();

  for (const [name, server] of [
    ['without extensions', plain],
    ['with compression', compressing],
  ] as const) {
    check(`a server ${name}: as the name of an extension, declined`, async () => {
      for (const inherited of INHERITED) {
        for (const offer of [inherited, `${inherited}; a=1`, `${inherited}, permessage-deflate`, `a, ${inherited}`]) {
          const { status, headers } = await server().answerTo(request({ 'Sec-WebSocket-Extensions': offer }));
          const agreed = headers.get('sec-websocket-extensions')?.join() ?? '';
          expect([offer, status, agreed.includes(inherited)]).toEqual([offer, 101, false]);
          expect(agreed !== '').toBe(offer.includes('permessage-deflate') && name !== 'without extensions');
        }
      }
    });

    check(`a server ${name}: as the name or the value of a parameter, declined`, async () => {
      for (const inherited of INHERITED) {
        for (const offer of [
          `permessage-deflate; ${inherited}`,
          `permessage-deflate; ${inherited}=10`,
          `permessage-deflate; client_max_window_bits=${inherited}`,
          `permessage-deflate; ${inherited}; ${inherited}`,
        ]) {
          const { status, headers } = await server().answerTo(request({ 'Sec-WebSocket-Extensions': offer }));
          expect([offer, status, headers.get('sec-websocket-extensions')]).toEqual([offer, 101, undefined]);
        }
      }
    });
  }

  check('a client: as the extension or a parameter in an answer, the connection fails', async () => {
    let answer = '';
    const url = await hostile(({ wire, request: head }) => {
      wire.write(accepting(head, { 'Sec-WebSocket-Extensions': answer }));
    });
    for (const inherited of INHERITED) {
      for (answer of [
        inherited,
        `permessage-deflate; ${inherited}`,
        `permessage-deflate; server_max_window_bits=${inherited}`,
      ]) {
        const { opened, error } = await client().outcome({ url });
        const code = answer === inherited ? 'WS_ERR_UNEXPECTED_EXTENSION' : 'WS_ERR_INVALID_DEFLATE_PARAMETERS';
        expect([answer, opened, error]).toEqual([answer, false, code]);
      }
    }
  });
});

advisory('prototype-names', (check) => {
  const anything = sharedServer();
  const listed = sharedServer({ options: { protocols: ['chat'], path: '/constructor' } });
  const client = sharedClient();

  check('as a subprotocol: agreed on where any is, not where it is not in the list', async () => {
    for (const name of INHERITED) {
      const any = await anything().answerTo(request({ 'Sec-WebSocket-Protocol': name }));
      expect([name, any.status, any.headers.get('sec-websocket-protocol')]).toEqual([name, 101, [name]]);
      const other = await listed().answerTo(request({ 'Sec-WebSocket-Protocol': name }, 'GET /constructor HTTP/1.1'));
      expect([name, other.status, other.headers.get('sec-websocket-protocol')]).toEqual([name, 101, undefined]);
    }
  });

  check('as the name of a header, empty or not, once or twice', async () => {
    for (const name of INHERITED)
      for (const value of ['', 'a', ['a', 'b']])
        expect([name, (await anything().answerTo(request({ [name]: value }))).status]).toEqual([name, 101]);
  });

  check('as the value of each header that is read', async () => {
    for (const header of ['Host', 'Upgrade', 'Connection', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Origin']) {
      for (const name of INHERITED) {
        const { status } = await anything().answerTo(request({ [header]: name }));
        expect([header, name, [101, 400, 403].includes(status)]).toEqual([header, name, true]);
      }
    }
  });

  check('as a path: the one that is served, and no other', async () => {
    for (const name of INHERITED) {
      const { status } = await listed().answerTo(request({}, `GET /${name} HTTP/1.1`));
      expect([name, status]).toEqual([name, name === 'constructor' ? 101 : 400]);
    }
  });

  check('a client: as its subprotocol, and as headers of the answer', async () => {
    const url = await hostile(({ wire, request: head }) => {
      const [name = ''] = head.headers.get('sec-websocket-protocol') ?? [];
      wire.write(accepting(head, { 'Sec-WebSocket-Protocol': name, [name]: 'a' })).socket.end();
    });
    for (const name of INHERITED) {
      const { opened, protocol } = await client().outcome({ url, protocols: [name] });
      expect([name, opened, protocol]).toEqual([name, true, name]);
    }
  });

  check('a client that asked for another: the connection fails', async () => {
    for (const name of INHERITED) {
      const url = await hostile(({ wire, request: head }) => {
        wire.write(accepting(head, { 'Sec-WebSocket-Protocol': name }));
      });
      expect(await client().outcome({ url, protocols: ['chat'] })).toMatchObject({ opened: false });
    }
  });
});
