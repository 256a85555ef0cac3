/** A bug that is put into a package as it is loaded, to see that its target finds it. */
export interface PlantedFault {
  readonly name: string;
  readonly target: string;
  /** Its source: the built module says where each begins. */
  readonly file: string;
  /** Stands once in what is built of it. */
  readonly find: string;
  readonly replace: string;
}

export const FAULTS: readonly PlantedFault[] = [
  {
    name: 'length',
    target: 'frame',
    file: 'frame/src/partial-header.ts',
    find: 'this.#payloadLength * 256 + octet',
    replace: '((this.#payloadLength << 8) + octet)',
  },
  {
    name: 'surrogates',
    target: 'frame',
    file: 'frame/src/utf8.ts',
    find: 'second > 159',
    replace: 'second > 175',
  },
  {
    name: 'port',
    target: 'handshake',
    file: 'handshake/src/ip-address.ts',
    find: 'return number <= max ?',
    replace: 'return number <= 2 * max ?',
  },
  {
    name: 'injection',
    target: 'handshake',
    file: 'handshake/src/header-list.ts',
    find: 'code >= 32 && code <= 126',
    replace: 'code >= 11 && code <= 126',
  },
  {
    name: 'quadratic',
    target: 'handshake',
    file: 'handshake/src/token.ts',
    find: 'from = at + 1;',
    replace: 'from = at + 1; for (let i = 0; i < elements.length; i += 64);',
  },
  {
    name: 'window',
    target: 'negotiation',
    file: 'deflate/src/parameters.ts',
    find: 'Math.min(offered, wanted)',
    replace: 'wanted',
  },
  {
    name: 'unseen',
    target: 'negotiation',
    file: 'deflate/src/compression.ts',
    find: 'takeover && rsv !== 0',
    replace: 'false',
  },
  {
    name: 'tail',
    target: 'inflate',
    file: 'deflate/src/node/ending.ts',
    find: ' || unread === WITHOUT_TAIL.length',
    replace: '',
  },
  {
    name: 'bomb',
    target: 'inflate',
    file: 'deflate/src/node/at-once.ts',
    find: 'if (length > most) {',
    replace: 'if (length > most + 1) {',
  },
  {
    name: 'limit',
    target: 'connection',
    file: 'connection/src/protocol/assembler.ts',
    find: 'this.#declared += payloadLength',
    replace: 'this.#declared = payloadLength',
  },
  {
    name: 'no-deadline',
    target: 'connection',
    file: 'connection/src/protocol/closing-handshake.ts',
    find: 'options.now() + options.closeTimeoutMs',
    replace: 'Infinity',
  },
  {
    name: 'callback',
    target: 'connection',
    file: 'connection/src/protocol/sender.ts',
    find: 'settle(callback, this.#why());',
    replace: 'if (callbacks.length < 2) settle(callback, this.#why());',
  },
  {
    name: 'stray',
    target: 'connection',
    file: 'connection/src/protocol/sender.ts',
    find: 'settle(callback, this.#why());',
    replace: "{ settle(callback, this.#why()); queueMicrotask(() => { throw new Error('stray'); }); }",
  },
  {
    name: 'order',
    target: 'duplex',
    file: 'connection/src/message-inbox.ts',
    find: 'this.#entries.shift()',
    replace: 'this.#entries.pop()',
  },
  {
    name: 'stuck',
    target: 'duplex',
    file: 'connection/src/incoming-flow.ts',
    find: 'this.#connection.readOnFor(this);',
    replace: '',
  },
];
