import type { IncomingMessage } from 'node:http';
import type { HeaderList } from '@ws/server';

/** Such a program may give a number. */
type Value = undefined | number | string | string[];

/** What `ws` reads of `request.headers`, and nothing else. */
const READ = ['extensions', 'key', 'origin', 'protocol', 'version'].map((name) => `sec-websocket-${name}`);
READ.push('origin', 'upgrade');

/** Whether it is as Node made it: not of the program's own making, perhaps with a `rawHeaders` that is none, nor with `headers` that it has changed. */
export const isAsSent = (request: IncomingMessage): boolean =>
  typeof request.rawHeaders?.[0] === 'string' &&
  READ.every((name) => request.headers[name] === request.headersDistinct?.[name]?.join(', '));

/** From `headers` alone, of which `ws` asks neither Host nor Connection. */
export const headersOf = ({ headers }: IncomingMessage): HeaderList =>
  Object.entries<Value>({ host: 'localhost', connection: 'upgrade', ...headers }).flatMap(([name, values = []]) =>
    [values].flat().flatMap((value) => [name, String(value)]),
  );
