import { KEY, refused, request, VERSION } from '../request.js';
import { requestTable, type RequestRow } from '../table.js';

// The opening handshakes that our server refuses, §4.2, §4.4.

const OTHER_METHODS = ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'HEAD'];

const BAD_KEYS: readonly { name: string; key: string | readonly string[] | null }[] = [
  { name: 'missing', key: null },
  { name: 'empty', key: '' },
  { name: 'short', key: 'c2hvcnQ=' },
  { name: '15-bytes', key: Buffer.alloc(15, 1).toString('base64') },
  { name: '17-bytes', key: Buffer.alloc(17, 1).toString('base64') },
  { name: '16-letters', key: 'abcdefghijklmnop' },
  { name: 'no-padding', key: 'dGhlIHNhbXBsZSBub25jZQ' },
  { name: 'one-pad', key: 'dGhlIHNhbXBsZSBub25jZQ=' },
  { name: 'three-pads', key: 'dGhlIHNhbXBsZSBub25jZQ===' },
  { name: 'base64url', key: '-_-_-_-_-_-_-_-_-_-_-w==' },
  { name: 'bad-letter', key: 'dGhlIHNhbXBsZSBub25j!Q==' },
  { name: 'blank-inside', key: 'dGhlIHNhbXBs SBub25jZQ==' },
  { name: 'latin1', key: 'dGhlIHNhbXBsZSBub25j\u00e9Q==' },
  { name: 'twice', key: [KEY, KEY] },
  { name: 'twice-different', key: [KEY, 'AQIDBAUGBwgJCgsMDQ4PEA=='] },
  { name: 'list', key: `${KEY}, ${KEY}` },
];

const BAD_VERSIONS = ['0', '1', '7', '8', '12', '14', '113', '130', '255', '256', '99999999999999999999'];
/** Values that the grammar of the header does not know (§4.3): no version, so either answer is right. */
const NO_VERSIONS = ['', '013', '+13', '-13', '13.0', '0x0d', 'thirteen', '13 13', '13, 8', '13;'];

const refusals: RequestRow[] = [
  ...OTHER_METHODS.map((method): RequestRow => ({
    id: `method-${method}`,
    section: '§4.2.1',
    title: `the method ${method}`,
    request: request({}, `${method} / HTTP/1.1`),
    expect: refused(405, { allow: 'GET' }),
  })),
  {
    id: 'method-lower-case',
    section: '§4.2.1',
    title: 'methods are case-sensitive',
    request: request({}, 'get / HTTP/1.1'),
    expect: refused([400, 405, 501]),
  },
  {
    id: 'http-1.0',
    section: '§4.2.1',
    title: 'HTTP/1.0',
    request: request({}, 'GET / HTTP/1.0'),
    expect: { ...refused([400, 426, 505]) },
  },
  ...['HTTP/0.9', 'HTTP/2.0', 'HTTP/1.1.1', 'HTTQ/1.1', ''].map((version, i): RequestRow => ({
    id: `http-version-${i + 1}`,
    section: '§4.2.1',
    title: `the protocol "${version}"`,
    request: request({}, `GET / ${version}`),
    expect: refused([400, 426, 505]),
  })),
  ...BAD_KEYS.map(({ name, key }): RequestRow => ({
    id: `key-${name}`,
    section: '§4.2.1',
    title: `Sec-WebSocket-Key: ${name}`,
    request: request({ 'Sec-WebSocket-Key': key }),
    expect: refused(400),
  })),
  ...BAD_VERSIONS.map((version): RequestRow => ({
    id: `version-${version}`,
    section: '§4.4',
    title: `Sec-WebSocket-Version: ${version}`,
    request: request({ 'Sec-WebSocket-Version': version }),
    expect: refused(426, VERSION),
    note: 'the RFC asks for "an appropriate error"; 426 and the version that we speak',
  })),
  ...NO_VERSIONS.map((version, i): RequestRow => ({
    id: `version-bad-${i + 1}`,
    section: '§4.3',
    title: `Sec-WebSocket-Version: "${version}"`,
    request: request({ 'Sec-WebSocket-Version': version }),
    expect: refused([400, 426]),
  })),
  {
    id: 'version-missing',
    section: '§4.2.1',
    title: 'no Sec-WebSocket-Version',
    request: request({ 'Sec-WebSocket-Version': null }),
    expect: refused([400, 426]),
  },
  {
    id: 'version-twice',
    section: '§11.3.5',
    title: 'Sec-WebSocket-Version 13 and 8',
    request: request({ 'Sec-WebSocket-Version': ['13', '8'] }),
    expect: refused([400, 426]),
  },
  {
    id: 'upgrade-other',
    section: '§4.2.1',
    title: 'Upgrade: h2c',
    request: request({ Upgrade: 'h2c' }),
    expect: refused([400, 426]),
  },
  {
    id: 'upgrade-longer',
    section: '§4.2.1',
    title: 'Upgrade: websocket2',
    request: request({ Upgrade: 'websocket2' }),
    expect: refused([400, 426]),
  },
  {
    id: 'upgrade-empty',
    section: '§4.2.1',
    title: 'an empty Upgrade header',
    request: request({ Upgrade: '' }),
    expect: refused([400, 426]),
  },
  {
    id: 'upgrade-missing',
    section: '§4.2.1',
    title: 'no Upgrade header: not an upgrade at all',
    request: request({ Upgrade: null }),
    expect: { status: [400, 426], ends: false },
  },
  {
    id: 'connection-missing',
    section: '§4.2.1',
    title: 'no Connection header: not an upgrade at all',
    request: request({ Connection: null }),
    expect: { status: [400, 426], ends: false },
  },
  {
    id: 'connection-other',
    section: '§4.2.1',
    title: 'Connection: keep-alive: not an upgrade at all',
    request: request({ Connection: 'keep-alive' }),
    expect: { status: [400, 426], ends: false },
  },
  {
    id: 'connection-longer',
    section: '§4.2.1',
    title: 'Connection: upgraded',
    request: request({ Connection: 'upgraded' }),
    expect: { status: [400, 426], ends: false },
  },
  {
    id: 'plain-get',
    section: 'RFC 9110 §15.5.22',
    title: 'a plain GET is told what to do',
    request: 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n',
    expect: { status: [426], headers: { upgrade: 'websocket' }, ends: false },
  },
  {
    id: 'plain-post',
    section: 'RFC 9110 §15.5.22',
    title: 'a POST with a body',
    request: 'POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhello',
    expect: { status: [405, 426], ends: false },
  },
  {
    id: 'host-missing',
    section: '§4.2.1',
    title: 'no Host',
    request: request({ Host: null }),
    expect: refused(400),
  },
  {
    id: 'host-twice',
    section: 'RFC 9112 §3.2',
    title: 'two Hosts',
    request: request({ Host: ['example.com', 'example.org'] }),
    expect: refused(400),
  },
  {
    id: 'host-blank-inside',
    section: 'RFC 9112 §3.2',
    title: 'a Host that is none',
    request: request({ Host: 'exa mple.com' }),
    expect: refused(400),
  },
  {
    id: 'path-other',
    section: '§4.2.2',
    title: 'a path that the server does not serve',
    options: { path: '/chat' },
    request: request({}, 'GET /news HTTP/1.1'),
    expect: refused(400),
    note: 'the RFC says 404; 400 is what ws answers, and what people expect here',
  },
  {
    id: 'path-longer',
    section: '§4.2.2',
    title: 'a path below the one that the server serves',
    options: { path: '/chat' },
    request: request({}, 'GET /chat/room HTTP/1.1'),
    expect: refused(400),
    note: 'the RFC says 404; 400 is what ws answers, and what people expect here',
  },
  {
    id: 'absolute-other-host',
    section: 'RFC 9112 §3.2.2',
    title: 'a target in absolute form for another host',
    request: request({}, 'GET http://169.254.169.254/latest/ HTTP/1.1'),
    expect: refused(400),
  },
  {
    id: 'absolute-other-port',
    section: 'RFC 9112 §3.2.2',
    title: 'a target in absolute form for another port',
    request: request({}, 'GET http://example.com:22/ HTTP/1.1'),
    expect: refused(400),
  },
  {
    id: 'target-asterisk',
    section: 'RFC 9112 §3.2.4',
    title: 'the target *',
    request: request({}, 'GET * HTTP/1.1'),
    expect: refused(400),
  },
  {
    id: 'target-authority',
    section: 'RFC 9112 §3.2.3',
    title: 'a target in authority form',
    request: request({}, 'GET example.com:80 HTTP/1.1'),
    expect: refused(400),
  },
];

export const requestsRefused = requestTable('request', refusals);
