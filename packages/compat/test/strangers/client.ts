import { describe, test } from '@jest/globals';
import { atEnd } from '@ws/testing/peer';
import { Agent, WebSocket as Undici } from 'undici';
import { WebSocket as Ws } from 'ws';

// The programs of the old documents once more, as far as they are about real connections: between our servers, those of the adapters and that of the
// core, and clients that are not ours.

export interface Options {
  readonly protocols?: string[];
  /** Of a server over TLS. */
  readonly ca?: string;
}

/** What is sent and heard in the same words by a library's client and by a browser's. */
type W3C = Pick<Undici, 'binaryType' | 'close' | 'onclose' | 'onerror' | 'onmessage' | 'onopen' | 'protocol' | 'send'>;

export interface Stranger {
  readonly name: string;
  connect(url: string, options?: Options): W3C;
}

export const WS: Stranger = {
  name: 'ws',
  connect: (url, { protocols, ca } = {}) => new Ws(url, protocols, { ca }) as unknown as W3C,
};
/** As browsers have it, and Node since version 22. */
const UNDICI: Stranger = {
  name: 'undici',
  connect: (url, { protocols, ca } = {}) =>
    new Undici(url, { ...(protocols && { protocols }), ...(ca && { dispatcher: new Agent({ connect: { ca } }) }) }),
};

/** One connection of a stranger, and what it hears. */
export class Client {
  readonly socket: W3C;
  readonly opened: Promise<void>;
  readonly closed: Promise<[code: number, reason: string]>;
  /** Text, or a Buffer. */
  readonly messages: (string | Buffer)[] = [];
  #heard = (): void => {};

  constructor(stranger: Stranger, url: string, options?: Options) {
    const socket = (this.socket = stranger.connect(url, options));
    socket.binaryType = 'arraybuffer';
    this.opened = new Promise((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error('it failed'));
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => (socket.onclose = ({ code, reason }) => resolve([code, reason])));
    socket.onmessage = ({ data }: { data: unknown }) => {
      this.messages.push(typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer));
      this.#heard();
    };
    atEnd(() => {
      if (socket instanceof Ws) socket.terminate();
      else socket.close();
    });
  }

  /** What only `ws` can do. */
  get ws(): Ws {
    if (this.socket instanceof Ws) return this.socket;
    throw new TypeError('a browser cannot do this');
  }

  /** The messages, as soon as there are so many. */
  async until(count: number): Promise<(string | Buffer)[]> {
    while (this.messages.length < count) await new Promise<void>((resolve) => (this.#heard = resolve));
    return this.messages;
  }
}

/** Resolves when it is so; looked at in each turn of the event loop. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

type Connect = (port: number, options?: Options & { path?: string; scheme?: 'wss' }) => Client;

/** A program of an old document in the adapter and its modern twin in the core, and what each of the strangers is to see of both. */
export function program<Start>(
  name: string,
  sides: { readonly adapter: Start; readonly core: Start },
  see: (start: Start, connect: Connect, stranger: Stranger) => Promise<void>,
  strangers: readonly Stranger[] = [WS, UNDICI],
): void {
  // oxlint-disable-next-line jest/valid-title -- it is the caller's
  describe(name, () => {
    for (const side of ['adapter', 'core'] as const)
      for (const stranger of strangers)
        // oxlint-disable-next-line jest/expect-expect -- they are in what is to be seen
        test(`${side}, ${stranger.name}`, () =>
          see(
            sides[side],
            (port, { path = '/', scheme = 'ws', ...options } = {}) =>
              new Client(stranger, `${scheme}://127.0.0.1:${port}${path}`, options),
            stranger,
          ));
  });
}
