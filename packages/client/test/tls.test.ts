import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { expect, test } from '@jest/globals';
import { makeCertificate } from '@ws/testing';
import { WebSocketServer } from 'ws';
import { WebSocket, type ClientOptions } from '../src/index.js';
import { atEnd, ending, listen, next, opened, wsServer } from './peers.js';

/** On the server's end: the name that the client asked for in SNI, or false. */
type NamedSocket = TLSSocket & { readonly servername: string | false };

interface TlsServer {
  readonly port: number;
  readonly cert: string;
  /** The TLS end of every request that came through. */
  readonly sockets: TLSSocket[];
}

/** An echo server behind TLS whose certificate is for `hosts`. */
async function tlsServer(hosts?: readonly string[], options: TlsOptions = {}, path?: string): Promise<TlsServer> {
  const { key, cert } = makeCertificate(hosts);
  const sockets: TLSSocket[] = [];
  const server = createServer({ key, cert, ...options });
  const wss = new WebSocketServer({ server });
  wss.on('connection', (peer, request) => {
    sockets.push(request.socket as TLSSocket);
    peer.on('error', () => {});
    peer.on('message', (data, isBinary) => peer.send(data as Buffer, { binary: isBinary }));
  });
  return { port: await listen(server, path), cert, sockets };
}

async function echoes(websocket: WebSocket): Promise<void> {
  await opened(websocket);
  websocket.send('over TLS');
  const [data] = await next<[Buffer]>(websocket, 'message');
  expect(data.toString()).toBe('over TLS');
}

test('WS-047 WS-050 wss with the certificate authority given; the host name goes into SNI', async () => {
  const { port, cert, sockets } = await tlsServer();
  const websocket = new WebSocket(`wss://localhost:${port}/`, { ca: cert, family: 4 });
  await echoes(websocket);
  expect((sockets[0] as NamedSocket).servername).toBe('localhost');
  expect((websocket.duplex as TLSSocket).authorized).toBe(true);
});

test('an IP address is checked as such, and is not sent in SNI', async () => {
  const { port, cert, sockets } = await tlsServer(['127.0.0.1']);
  await echoes(new WebSocket(`wss://127.0.0.1:${port}/`, { ca: cert }));
  expect((sockets[0] as NamedSocket).servername).toBe(false);
});

test('https: is wss:', async () => {
  const { port, cert } = await tlsServer();
  const websocket = new WebSocket(`https://127.0.0.1:${port}/`, { ca: cert });
  await echoes(websocket);
  expect(websocket.url).toBe(`wss://127.0.0.1:${port}/`);
});

const REFUSED: {
  name: string;
  hosts?: string[];
  host: string;
  options: (cert: string) => ClientOptions;
  code: string;
}[] = [
  { name: 'a self-signed certificate', host: 'localhost', options: () => ({}), code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
  {
    name: 'another authority',
    host: 'localhost',
    options: () => ({ ca: makeCertificate().cert }),
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  },
  {
    name: 'the wrong name',
    hosts: ['other.example'],
    host: 'localhost',
    options: (ca) => ({ ca }),
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    name: 'the wrong address',
    hosts: ['localhost', '127.0.0.2'],
    host: '127.0.0.1',
    options: (ca) => ({ ca }),
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    name: 'a name that only the Host header has',
    hosts: ['other.example'],
    host: 'localhost',
    options: (ca) => ({ ca, host: 'other.example', headers: { Host: 'other.example' } }),
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    name: 'the same through an agent',
    hosts: ['other.example'],
    host: 'localhost',
    options: (ca) => ({ ca, agent: new Agent(), headers: { Host: 'other.example' } }),
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    name: 'the wrong name, with options that are undefined',
    hosts: ['other.example'],
    host: 'localhost',
    options: (ca) => ({ ca, checkServerIdentity: undefined, rejectUnauthorized: undefined, servername: undefined }),
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    name: 'a name that SNI is switched off for',
    hosts: ['other.example'],
    host: 'localhost',
    options: (ca) => ({ ca, servername: '' }),
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    name: 'a servername that is not in the certificate',
    host: 'localhost',
    options: (ca) => ({ ca, servername: 'other.example' }),
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    name: 'a checkServerIdentity that says no',
    host: 'localhost',
    options: (ca) => ({ ca, checkServerIdentity: () => Object.assign(new Error('no'), { code: 'NO' }) }),
    code: 'NO',
  },
];

test.each(REFUSED)('WS-047 $name is refused before anything is sent', async ({ hosts, host, options, code }) => {
  const { port, cert, sockets } = await tlsServer(hosts);
  const { events } = await ending(new WebSocket(`wss://${host}:${port}/`, { family: 4, ...options(cert) }));
  expect(events).toEqual([`error ${code}`, 'close 1006']);
  expect(sockets).toEqual([]);
});

const TAKEN: { name: string; hosts?: string[]; options: (cert: string) => ClientOptions }[] = [
  {
    name: 'servername, for a certificate of another name',
    hosts: ['other.example'],
    options: (ca) => ({ ca, servername: 'other.example' }),
  },
  { name: 'rejectUnauthorized: false, said by the user', options: () => ({ rejectUnauthorized: false }) },
  { name: 'an agent with its own authority', options: (ca) => ({ agent: new Agent({ ca }) }) },
  {
    name: 'checkServerIdentity',
    hosts: ['other.example'],
    options: (ca) => ({ ca, checkServerIdentity: () => undefined }),
  },
];

test.each(TAKEN)('WS-047 $name', async ({ hosts, options }) => {
  const { port, cert, sockets } = await tlsServer(hosts);
  await echoes(new WebSocket(`wss://127.0.0.1:${port}/`, options(cert)));
  expect(sockets).toHaveLength(1);
});

test('WS-047 A-37 a client certificate, its key behind a passphrase', async () => {
  const client = makeCertificate(['client.example']);
  const { port, cert, sockets } = await tlsServer(undefined, { requestCert: true, ca: client.cert });
  const key = createPrivateKey(client.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  });
  await echoes(new WebSocket(`wss://127.0.0.1:${port}/`, { ca: cert, cert: client.cert, key, passphrase: 'x' }));
  expect(sockets[0]?.authorized).toBe(true);
  expect(sockets[0]?.getPeerCertificate().subjectaltname).toBe('DNS:client.example');
});

test('WS-047 A-37 without the client certificate that the server asks for: error, then close', async () => {
  const { port, cert } = await tlsServer(undefined, {
    requestCert: true,
    ca: makeCertificate().cert,
    maxVersion: 'TLSv1.2',
  });
  const { events } = await ending(new WebSocket(`wss://127.0.0.1:${port}/`, { ca: cert }));
  expect(events).toEqual([expect.stringMatching(/^error (ECONNRESET|EPIPE|EPROTO|ERR_SSL_)/), 'close 1006']);
});

test('WS-047 ciphers', async () => {
  const { port, cert, sockets } = await tlsServer();
  const ciphers = 'ECDHE-ECDSA-CHACHA20-POLY1305';
  await echoes(new WebSocket(`wss://127.0.0.1:${port}/`, { ca: cert, ciphers, maxVersion: 'TLSv1.2' }));
  expect(sockets[0]?.getCipher().name).toBe(ciphers);
});

test('servername belongs to the first host: after a redirect the other one is asked for by its own name', async () => {
  const { key, cert } = makeCertificate(['first.example', 'localhost']);
  const second = await tlsServer([], { key, cert });
  const names: unknown[] = [];
  const port = await listen(
    createServer({ key, cert }, (request, response) => {
      names.push((request.socket as NamedSocket).servername);
      response.writeHead(302, { Location: `wss://localhost:${second.port}/` }).end();
    }),
  );
  const options = { ca: cert, family: 4, servername: 'first.example', followRedirects: true };
  await echoes(new WebSocket(`wss://127.0.0.1:${port}/`, options));
  expect([...names, (second.sockets[0] as NamedSocket).servername]).toEqual(['first.example', 'localhost']);
});

test('wss+unix: TLS over a Unix socket, the name being localhost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ws-client-'));
  atEnd(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'tls.sock');
  const { cert, sockets } = await tlsServer(['localhost'], {}, path);
  await echoes(new WebSocket(`wss+unix:${path}:/`, { ca: cert }));
  expect((sockets[0] as NamedSocket).servername).toBe('localhost');
  const { events } = await ending(new WebSocket(`wss+unix:${path}:/`));
  expect(events).toEqual(['error DEPTH_ZERO_SELF_SIGNED_CERT', 'close 1006']);
});

test('wss to a plain server, ws to a TLS server', async () => {
  const plain = await wsServer();
  const { events } = await ending(new WebSocket(`wss://127.0.0.1:${plain.port}/`));
  expect(events).toEqual([expect.stringMatching(/^error (ERR_SSL_|EPROTO)/), 'close 1006']);
  const { port } = await tlsServer();
  const other = await ending(new WebSocket(`ws://127.0.0.1:${port}/`));
  expect(other.events).toEqual([expect.stringMatching(/^error (ECONNRESET|HPE_)/), 'close 1006']);
});

test.each(['RST', 'FIN', 'garbage'])('%s during the TLS handshake: error, then close', async (how) => {
  const port = await listen(
    createTcpServer((socket) => {
      socket.once('data', () => {
        if (how === 'RST') socket.resetAndDestroy();
        else if (how === 'FIN') socket.end();
        else socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      });
    }),
  );
  const { events } = await ending(new WebSocket(`wss://127.0.0.1:${port}/`));
  expect(events).toEqual([expect.stringMatching(/^error (ECONNRESET|EPROTO|ERR_SSL_)/), 'close 1006']);
});

test('handshakeTimeout covers a TLS handshake that is never answered', async () => {
  const port = await listen(createTcpServer());
  const { events } = await ending(new WebSocket(`wss://127.0.0.1:${port}/`, { handshakeTimeout: 20 }));
  expect(events).toEqual(['error WS_ERR_HANDSHAKE_TIMEOUT', 'close 1006']);
});
