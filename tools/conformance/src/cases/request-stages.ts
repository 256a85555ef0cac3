import { ENDS, refused, request } from '../request.js';
import { requestTable, type RequestRow } from '../table.js';

// Requests that are broken off, drawn out, or no requests at all.

const lines = (...all: string[]): string => `${all.join('\r\n')}\r\n\r\n`;

const stages: RequestRow[] = [
  {
    id: 'garbage-text',
    section: 'RFC 9112 §3',
    title: 'text that is no HTTP',
    request: 'HELLO WORLD\r\n\r\n',
    expect: refused(400),
  },
  {
    id: 'garbage-tls',
    section: 'RFC 9112 §3',
    title: 'the start of a TLS handshake',
    request: Buffer.from('16030100c8010000c40303', 'hex'),
    expect: ENDS,
  },
  {
    id: 'garbage-bytes',
    section: 'RFC 9112 §3',
    title: 'bytes from 255 down',
    request: Buffer.from(Array.from({ length: 256 }, (_, i) => 255 - i)),
    expect: ENDS,
  },
  {
    id: 'garbage-frame',
    section: 'RFC 9112 §3',
    title: 'a WebSocket frame without a handshake',
    request: Buffer.from('818537fa213d7f9f4d5158', 'hex'),
    expect: ENDS,
  },
  {
    id: 'header-without-colon',
    section: 'RFC 9112 §5',
    title: 'a header line without a colon',
    request: request().replace('Upgrade: websocket', 'Upgrade websocket'),
    expect: refused(400),
  },
  {
    id: 'header-blank-before-colon',
    section: 'RFC 9112 §5.1',
    title: 'a blank between name and colon',
    request: request().replace('Upgrade:', 'Upgrade :'),
    expect: refused(400),
  },
  {
    id: 'header-nul',
    section: 'RFC 9110 §5.5',
    title: 'NUL in a header value',
    request: request({ 'X-Bad': 'a\u0000b' }),
    expect: refused(400),
  },
  {
    id: 'header-too-large',
    section: 'RFC 6585 §5',
    title: 'a header of 20 KB',
    request: request({ 'X-Long': 'x'.repeat(20_000) }),
    expect: refused(431),
  },
  {
    id: 'headers-too-many',
    section: 'RFC 6585 §5',
    title: '2500 headers in front of those that matter',
    request: lines('GET / HTTP/1.1', 'Host: example.com', ...Array.from({ length: 2500 }, () => 'a:b')).replace(
      /\r\n$/,
      request().slice('GET / HTTP/1.1\r\nHost: example.com\r\n'.length),
    ),
    expect: { ...refused([101, 400, 426, 431]), ends: false },
  },
  {
    id: 'half-then-fin',
    section: '§4.2.1',
    title: 'half a request, then the end of TCP',
    request: request().slice(0, 60),
    then: 'fin',
    expect: ENDS,
  },
  {
    id: 'nothing-then-fin',
    section: '§4.2.1',
    title: 'nothing but the end of TCP',
    request: '',
    then: 'fin',
    expect: ENDS,
  },
  {
    id: 'nothing-then-reset',
    section: '§4.2.1',
    title: 'a reset before the first byte',
    request: '',
    then: 'reset',
    expect: ENDS,
  },
  {
    id: 'half-then-reset',
    section: '§4.2.1',
    title: 'a reset in the middle of the request',
    request: request().slice(0, 100),
    then: 'reset',
    expect: ENDS,
  },
  {
    id: 'refused-then-reset',
    section: '§4.2.1',
    title: 'a reset right after a request that is refused',
    request: request({ 'Sec-WebSocket-Key': 'bad' }),
    then: 'reset',
    expect: ENDS,
  },
  {
    id: 'silence',
    section: '§10.4',
    title: 'a peer that sends nothing is cut after handshakeTimeout',
    options: { handshakeTimeout: 150 },
    request: '',
    expect: ENDS,
  },
  {
    id: 'half-then-silence',
    section: '§10.4',
    title: 'half a request, then nothing: cut after handshakeTimeout',
    options: { handshakeTimeout: 150 },
    request: request().slice(0, 60),
    expect: ENDS,
  },
  {
    id: 'slow-drip',
    section: '§10.4',
    title: 'a header that goes on for ever, a byte every few milliseconds: cut after handshakeTimeout',
    options: { handshakeTimeout: 150 },
    request: request().slice(0, 60),
    then: 'drip',
    expect: ENDS,
  },
];

export const requestStages = requestTable('request', stages);
