/** A bug that is put into a module as it is loaded, to see that its target finds it. */
export interface PlantedFault {
  readonly name: string;
  readonly target: string;
  /** End of the module's URL. */
  readonly file: string;
  /** Stands once in the built module. */
  readonly find: string;
  readonly replace: string;
}

export const FAULTS: readonly PlantedFault[] = [
  {
    name: 'length',
    target: 'frame',
    file: 'frame/dist/esm/partial-header.js',
    find: 'this.#payloadLength * 256 + octet',
    replace: '((this.#payloadLength << 8) + octet)',
  },
  {
    name: 'surrogates',
    target: 'frame',
    file: 'frame/dist/esm/utf8.js',
    find: 'second > 0x9f',
    replace: 'second > 0xaf',
  },
  {
    name: 'port',
    target: 'handshake',
    file: 'handshake/dist/esm/ip-address.js',
    find: 'return number <= max ?',
    replace: 'return number <= 2 * max ?',
  },
  {
    name: 'injection',
    target: 'handshake',
    file: 'handshake/dist/esm/header-list.js',
    find: '(code >= 0x20 && code <= 0x7e)',
    replace: '(code >= 0x0b && code <= 0x7e)',
  },
  {
    name: 'quadratic',
    target: 'handshake',
    file: 'handshake/dist/esm/token.js',
    find: 'from = at + 1;',
    replace: 'from = at + 1; for (let i = 0; i < elements.length; i += 64);',
  },
  {
    name: 'window',
    target: 'negotiation',
    file: 'deflate/dist/esm/parameters.js',
    find: 'Math.min(offered, wanted)',
    replace: 'wanted',
  },
  {
    name: 'unseen',
    target: 'negotiation',
    file: 'deflate/dist/esm/compression.js',
    find: 'takeover && rsv !== 0',
    replace: 'false',
  },
  {
    name: 'tail',
    target: 'inflate',
    file: 'deflate/dist/esm/node/ending.js',
    find: ' || unread === WITHOUT_TAIL.length',
    replace: '',
  },
  {
    name: 'bomb',
    target: 'inflate',
    file: 'deflate/dist/esm/node/at-once.js',
    find: 'if (length > most) {',
    replace: 'if (length > most + 1) {',
  },
  {
    name: 'limit',
    target: 'connection',
    file: 'connection/dist/esm/protocol/assembler.js',
    find: 'this.#declared += payloadLength',
    replace: 'this.#declared = payloadLength',
  },
  {
    name: 'no-deadline',
    target: 'connection',
    file: 'connection/dist/esm/protocol/closing-handshake.js',
    find: 'options.now() + options.closeTimeoutMs',
    replace: 'Infinity',
  },
  {
    name: 'callback',
    target: 'connection',
    file: 'connection/dist/esm/protocol/sender.js',
    find: 'settle(callback, this.#why());',
    replace: 'if (callbacks.length < 2) settle(callback, this.#why());',
  },
  {
    name: 'stray',
    target: 'connection',
    file: 'connection/dist/esm/protocol/sender.js',
    find: 'settle(callback, this.#why());',
    replace: "{ settle(callback, this.#why()); queueMicrotask(() => { throw new Error('stray'); }); }",
  },
  {
    name: 'order',
    target: 'duplex',
    file: 'connection/dist/esm/message-inbox.js',
    find: 'this.#entries.shift()',
    replace: 'this.#entries.pop()',
  },
  {
    name: 'stuck',
    target: 'duplex',
    file: 'connection/dist/esm/incoming-flow.js',
    find: 'this.#connection.readOnFor(this);',
    replace: '',
  },
];
