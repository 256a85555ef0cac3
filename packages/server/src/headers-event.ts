import type { HeaderList, UpgradeResponse } from '@ws/handshake';

/** Fields that make the 101 what it is. Another one of them would contradict what was negotiated. */
const HANDSHAKE_FIELDS: ReadonlySet<string> = new Set([
  'upgrade',
  'connection',
  'sec-websocket-accept',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'content-length',
  'transfer-encoding',
]);

/** The 101 as the `'headers'` event shows it: the status line, then a line for each header. */
export function responseLines(response: UpgradeResponse): string[] {
  const { status, reason, headers } = response;
  const lines = [`HTTP/1.1 ${status} ${reason}`];
  for (let at = 0; at < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
  return lines;
}

/**
 * What listeners added to the lines. Names and values are not checked here, the handshake layer does that.
 * @throws {TypeError} for a line of ours that is gone or changed, a line that is no header, a field of the handshake
 */
export function addedHeaders(lines: readonly unknown[], own: readonly string[]): HeaderList {
  const expected = new Set(own);
  const added: string[] = [];
  for (const line of lines) {
    if (typeof line !== 'string') throw new TypeError(`headers: a line is ${typeof line}, expected a string`);
    if (expected.delete(line)) continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    if (colon < 1) throw new TypeError('headers: a line has no name');
    if (HANDSHAKE_FIELDS.has(name.toLowerCase())) throw new TypeError(`headers: ${name} is the handshake's own`);
    added.push(name, line.slice(colon + 1).trim());
  }
  if (expected.size > 0) throw new TypeError('headers: a line of the handshake is gone or changed');
  return added;
}
