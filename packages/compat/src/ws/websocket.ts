import type { Duplex } from 'node:stream';
import { WebSocket as Client, type ClientOptions } from '@ws/client';
import { clientDeflate } from './defaults.js';
import { Sender } from './sender.js';

/** Of those whose `_sender` was asked for. */
const senders = new WeakMap<WebSocket, Sender>();

/** Both ends, as in `ws` 8: by address it is a client, and a server's connections are instances too. */
export class WebSocket extends Client {
  constructor(address: null, protocols?: undefined, options?: ClientOptions);
  constructor(address: string | URL, options?: ClientOptions);
  constructor(address: string | URL, protocols?: string | readonly string[], options?: ClientOptions);
  constructor(
    address: string | URL | null,
    protocols?: string | readonly string[] | ClientOptions,
    options?: ClientOptions,
  ) {
    if (address === null) {
      super(null, undefined, options);
    } else if (typeof protocols === 'object' && protocols !== null && !Array.isArray(protocols)) {
      super(address, undefined, asInWs(protocols as ClientOptions));
    } else {
      super(address, protocols as string | readonly string[] | undefined, asInWs(options));
    }
  }

  /** The stream underneath, as programs for `ws` reach for it: for addresses, certificates and `setNoDelay`. null before it is there. */
  get _socket(): Duplex | null {
    return this.socket ?? null;
  }

  /** Sends frames that `WebSocket.Sender.frame` made. */
  get _sender(): Sender {
    let sender = senders.get(this);
    if (sender === undefined) senders.set(this, (sender = new Sender(this)));
    return sender;
  }
}

function asInWs(options: ClientOptions | undefined | null): ClientOptions {
  return { ...options, perMessageDeflate: clientDeflate(options?.perMessageDeflate) };
}
