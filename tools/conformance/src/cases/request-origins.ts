import { opens, refused, request } from '../request.js';
import { requestTable, type RequestRow } from '../table.js';

// The Origin of a request, §10.2, RFC 6454.

const SAME: readonly string[] = [
  'http://example.com',
  'https://example.com',
  'http://EXAMPLE.com',
  'http://example.com:80',
];
const CROSS: readonly string[] = [
  'http://example.org',
  'http://example.com:8080',
  'https://example.com:80',
  'http://example.com.evil.org',
  'http://evil.org/example.com',
  'http://sub.example.com',
  'http://example.com@evil.org',
  'http://127.0.0.1',
  'example.com',
  'http://',
  'http://example.com/',
  'http://example.com/path',
  'http://user@example.com',
  'http://example.com, http://evil.org',
  'null',
  '',
];

const origins: RequestRow[] = [
  ...SAME.map((origin, i): RequestRow => ({
    id: `origin-same-${i + 1}`,
    section: '§4.2.2',
    title: `Origin ${origin} for Host example.com`,
    request: request({ Origin: origin }),
    expect: opens(),
  })),
  ...CROSS.map((origin, i): RequestRow => ({
    id: `origin-cross-${i + 1}`,
    section: '§10.2',
    title: `Origin "${origin}" for Host example.com is refused, and the body says by which option`,
    request: request({ Origin: origin }),
    expect: { status: [403], body: 'origins' },
    note: 'the RFC leaves it to the server; a foreign page is refused unless an option lets it in',
  })),
  {
    id: 'origin-twice',
    section: 'RFC 6454 §7.3',
    title: 'two Origin headers',
    request: request({ Origin: ['http://example.com', 'http://evil.org'] }),
    expect: refused([400, 403]),
  },
  {
    id: 'origin-any',
    section: '§10.2',
    title: "origins 'any': every page may come",
    options: { origins: 'any' },
    request: request({ Origin: 'http://example.org' }),
    expect: opens(),
  },
  {
    id: 'origin-listed',
    section: '§10.2',
    title: 'an origin of the list',
    options: { origins: ['https://app.example.com'] },
    request: request({ Origin: 'https://app.example.com' }),
    expect: opens(),
  },
  {
    id: 'origin-not-listed',
    section: '§10.2',
    title: 'the same host in another scheme is not the origin of the list',
    options: { origins: ['https://app.example.com'] },
    request: request({ Origin: 'http://app.example.com' }),
    expect: { status: [403], body: 'origins' },
  },
  {
    id: 'origin-none',
    section: '§10.2',
    title: 'no Origin is no browser: accepted, with a list too',
    options: { origins: ['https://app.example.com'] },
    request: request(),
    expect: opens(),
  },
  {
    id: 'origin-draft-header',
    section: '§10.2',
    title: 'Sec-WebSocket-Origin of the old drafts does not get past the check',
    request: request({ Origin: 'http://evil.org', 'Sec-WebSocket-Origin': 'http://example.com' }),
    expect: refused(403),
  },
];

export const requestOrigins = requestTable('request', origins);
