import { expect } from '@jest/globals';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { makeCertificate } from '@ws/testing';
import { WebSocketServer } from 'ws';
import { advisory } from './advisory.js';
import { hostile, listen, sharedClient } from './victims.js';

const LOCAL = makeCertificate(['localhost', '127.0.0.1']);
const OTHER = makeCertificate(['other.example']);
const BOTH = makeCertificate(['other.example', 'localhost']);
const HOW = { family: 4 } as const;

interface Secure {
  readonly port: number;
  /** The names that were asked for by those who came through. */
  readonly names: (string | false)[];
}

/** A peer over TLS that closes who comes in. */
async function secure({ key, cert }: { key: string; cert: string }, path?: string): Promise<Secure> {
  const server = createHttpsServer({ key, cert });
  const names: (string | false)[] = [];
  new WebSocketServer({ server }).on('connection', (socket, request) => {
    names.push((request.socket as TLSSocket & { servername: string | false }).servername);
    socket.send('hello');
    socket.close(1000);
  });
  return { port: await listen(server, path), names };
}

/** A CONNECT proxy that brings everybody to `port`, wherever they wanted to go. */
async function proxyTo(port: number): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createHttpServer().on('connect', (request, client, head) => {
    asked.push(request.url ?? '');
    const target = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.write(head);
      target.pipe(client).pipe(target);
    });
    target.on('error', () => client.destroy());
    client.on('error', () => target.destroy());
    client.on('close', () => target.destroy());
  });
  return { port: await listen(server), asked };
}

const LET_IN = { opened: true, error: null, code: 1000, messages: ['hello'] };
const UNKNOWN = { opened: false, error: 'DEPTH_ZERO_SELF_SIGNED_CERT', messages: [] };
const WRONG_NAME = { opened: false, error: 'ERR_TLS_CERT_ALTNAME_INVALID', messages: [] };

advisory('tls-certificate', (check) => {
  const client = sharedClient();

  check('a certificate of an authority that nobody knows', async () => {
    const { port, names } = await secure(LOCAL);
    for (const host of ['localhost', '127.0.0.1'])
      expect(await client().outcome({ url: `wss://${host}:${port}/`, options: HOW })).toMatchObject(UNKNOWN);
    expect(names).toEqual([]);
    expect(
      await client().outcome({ url: `wss://localhost:${port}/`, options: { ...HOW, ca: LOCAL.cert } }),
    ).toMatchObject(LET_IN);
  });

  for (const by of ['createConnection', 'agent'] as const) {
    check(`the same through a CONNECT proxy, by ${by}`, async () => {
      const target = await secure(LOCAL);
      const proxy = await proxyTo(target.port);
      const way = { url: `wss://localhost:${target.port}/`, proxy: { port: proxy.port, by } };
      expect(await client().outcome(way)).toMatchObject(UNKNOWN);
      expect(await client().outcome({ ...way, options: { ca: LOCAL.cert } })).toMatchObject(LET_IN);
      expect(proxy.asked).toEqual([`localhost:${target.port}`, `localhost:${target.port}`]);
      expect(target.names).toEqual(['localhost']);
    });
  }

  check('the same behind a redirect from plain text', async () => {
    const { port } = await secure(LOCAL);
    const url = await hostile(({ wire }) => {
      wire.write(`HTTP/1.1 302 Found\r\nLocation: wss://localhost:${port}/\r\nContent-Length: 0\r\n\r\n`);
    });
    expect(await client().outcome({ url, options: { ...HOW, followRedirects: true } })).toMatchObject(UNKNOWN);
    expect(await client().outcome({ url, options: { ...HOW, followRedirects: true, ca: LOCAL.cert } })).toMatchObject(
      LET_IN,
    );
  });
});

advisory('tls-host-name', (check) => {
  const client = sharedClient();

  check('a certificate of a known authority for another name', async () => {
    const { port, names } = await secure(OTHER);
    for (const host of ['localhost', '127.0.0.1'])
      expect(
        await client().outcome({ url: `wss://${host}:${port}/`, options: { ...HOW, ca: OTHER.cert } }),
      ).toMatchObject(WRONG_NAME);
    expect(names).toEqual([]);
  });

  check('over a Unix socket the name is localhost', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ws-advisories-'));
    const [wrong, right] = [join(folder, 'wrong'), join(folder, 'right')];
    await secure(OTHER, wrong);
    await secure(BOTH, right);
    expect(await client().outcome({ url: `wss+unix:${wrong}:/`, options: { ca: OTHER.cert } })).toMatchObject(
      WRONG_NAME,
    );
    expect(await client().outcome({ url: `wss+unix:${right}:/`, options: { ca: BOTH.cert } })).toMatchObject(LET_IN);
    rmSync(folder, { recursive: true });
  });

  check('the Host header does not say which name is checked', async () => {
    const { port } = await secure(OTHER);
    for (const options of [{ host: 'other.example' }, { headers: { Host: 'other.example' } }])
      expect(
        await client().outcome({ url: `wss://localhost:${port}/`, options: { ...HOW, ca: OTHER.cert, ...options } }),
      ).toMatchObject(WRONG_NAME);
  });

  for (const by of ['createConnection', 'agent'] as const) {
    check(`through a CONNECT proxy that leads elsewhere, by ${by}`, async () => {
      const target = await secure(OTHER);
      const proxy = await proxyTo(target.port);
      const way = { url: `wss://localhost:${target.port}/`, proxy: { port: proxy.port, by } };
      expect(await client().outcome({ ...way, options: { ca: OTHER.cert } })).toMatchObject(WRONG_NAME);
      expect(target.names).toEqual([]);
    });

    check(`the name of the address is what a tunnel by ${by} is asked for, and what is checked in it`, async () => {
      const target = await secure(OTHER);
      const proxy = await proxyTo(target.port);
      const way = { url: 'wss://other.example/', proxy: { port: proxy.port, by } };
      expect(await client().outcome({ ...way, options: { ca: OTHER.cert } })).toMatchObject(LET_IN);
      expect([proxy.asked, target.names]).toEqual([['other.example:443'], ['other.example']]);
    });
  }

  check('behind a redirect, by which the name is another: `servername` was for the first', async () => {
    for (const [certificate, expected, names] of [
      [OTHER, WRONG_NAME, []],
      [BOTH, LET_IN, ['localhost']],
    ] as const) {
      const second = await secure(certificate);
      const first = createHttpsServer(certificate, (_request, response) => {
        response.writeHead(302, { Location: `wss://localhost:${second.port}/` }).end();
      });
      const url = `wss://127.0.0.1:${await listen(first)}/`;
      // It is the name alone that is wrong: the authority is known.
      const options = { ...HOW, ca: certificate.cert, servername: 'other.example', followRedirects: true };
      const ending = await client().outcome({ url, options });
      expect(ending).toMatchObject(expected);
      expect(ending.redirects).toEqual([`wss://localhost:${second.port}/`]);
      expect(second.names).toEqual(names);
    }
  });

  check('behind a redirect, credentials for the first host are left behind', async () => {
    const seen: (string | undefined)[] = [];
    const second = await hostile(({ wire, request }) => {
      seen.push(request.headers.get('authorization')?.[0], request.headers.get('cookie')?.[0]);
      wire.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    });
    const url = await hostile(({ wire }) => {
      wire.write(`HTTP/1.1 302 Found\r\nLocation: ${second}\r\nContent-Length: 0\r\n\r\n`);
    });
    const options = { followRedirects: true, auth: 'user:password', headers: { Cookie: 'a=b' } };
    expect(await client().outcome({ url, options })).toMatchObject({
      opened: false,
      error: 'WS_ERR_UNEXPECTED_STATUS',
    });
    expect(seen).toEqual([undefined, undefined]);
  });
});
