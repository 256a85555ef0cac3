// The vocabulary of the table. A case is plain data: what goes in, what must come out, and where the rule stands.

/** Which of our two ends takes the bytes. */
export type Role = 'server' | 'client';

/** A frame to send. Masked with a fixed key towards a server, unmasked towards a client, unless `mask` says otherwise. */
export interface FramePiece {
  readonly kind: 'frame';
  readonly opcode: number;
  readonly fin: boolean;
  /** RSV1 is 4, RSV2 is 2, RSV3 is 1. */
  readonly rsv: number;
  /** The payload bytes that are really sent. */
  readonly payload: Uint8Array;
  /** `'wrong'`: masked where it must not be, unmasked where it must. */
  readonly mask: 'role' | 'wrong';
  readonly key: number | undefined;
  /** The length in the header, where it is not the payload's. */
  readonly announced: bigint | undefined;
  /** How many bits hold the length, where that is not the shortest form. */
  readonly lengthBits: 7 | 16 | 64 | undefined;
}

export interface BytesPiece {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
}

/** Send nothing more until so many frames of a kind have come back. */
export interface AwaitPiece {
  readonly kind: 'await';
  readonly what: 'pong' | 'data' | 'close';
  readonly count: number;
}

export type Piece = FramePiece | BytesPiece | AwaitPiece;

/** What the application on our end gets, in order. */
export interface Received {
  readonly type: 'text' | 'binary' | 'ping' | 'pong';
  readonly data: Uint8Array;
  /** How the echo of a message travels, where permessage-deflate is in use and the row knows. */
  readonly reply?: 'compressed' | 'plain';
}

export interface ClosePayload {
  readonly code: number;
  readonly reason: string | Uint8Array;
}

export type Outcome =
  /** Everything was taken. The runner adds a close frame 1000 and expects it back. */
  | { readonly kind: 'clean' }
  /** Our end fails the connection: one close frame, then the end of TCP; the application sees `error` and 1006. */
  | { readonly kind: 'fail'; readonly closeCode: number; readonly error: string | readonly string[] }
  /** The input holds the peer's close frame, which is answered in kind. 1005: without a code. */
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /** The peer ends TCP after the input, without a close frame. */
  | { readonly kind: 'cut' }
  /** The peer resets TCP after the input. */
  | { readonly kind: 'reset' }
  /**
   * Our application closed first (see `App`): the close frame that it sent, and what its `close` event carries
   * in the end. With `error`, the peer's input broke the rules after that.
   */
  | {
      readonly kind: 'local';
      readonly sent: ClosePayload;
      readonly code: number;
      readonly reason: string;
      readonly error?: string;
    };

export interface Expectation {
  readonly events: readonly Received[];
  /** Is every ping answered? `'no'`: not at all; `'any'`: open. */
  readonly pongs: 'yes' | 'no' | 'any';
  readonly outcome: Outcome;
}

/** What runs on our end in place of the plain echo. */
export type App =
  | { readonly kind: 'closes'; readonly on: 'open' | 'message'; readonly close: Partial<ClosePayload> }
  /** An echo in so many fragments, or with the option `compress`. */
  | { readonly kind: 'echoes'; readonly fragments?: number; readonly compress?: boolean };

/** The option `perMessageDeflate` of our end, §7.1 of RFC 7692; its four parameters are those of `ws` 8. */
export interface DeflateOptions {
  readonly serverNoContextTakeover?: boolean;
  readonly clientNoContextTakeover?: boolean;
  readonly serverMaxWindowBits?: number | false;
  readonly clientMaxWindowBits?: number | boolean;
  readonly threshold?: number;
  readonly thresholdMode?: 'no-context-takeover' | 'always';
  readonly maxRatio?: number | false;
  /** `false`: ours with nothing but what Node documents. */
  readonly fastPath?: boolean;
}

export interface EndpointOptions {
  readonly maxPayload?: number | false;
  readonly maxFragments?: number;
  readonly skipUTF8Validation?: boolean;
  readonly strictLength?: boolean;
  readonly autoPong?: boolean;
  readonly closeTimeout?: number;
  readonly handshakeTimeout?: number;
  readonly path?: string;
  readonly protocols?: readonly string[];
  readonly origins?: string | readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly origin?: string;
  readonly perMessageDeflate?: boolean | DeflateOptions;
}

interface CaseBase {
  /** `theme/name`, unique. */
  readonly id: string;
  /** Section of RFC 6455, or another document by its name. */
  readonly section: string;
  readonly title: string;
  readonly role: Role | 'both';
  readonly options?: EndpointOptions;
  /** Where the RFC leaves a choice: which one this row holds us to, and why. */
  readonly note?: string;
}

/** A handshake that agrees on permessage-deflate. Header values as they stand on the wire. */
export interface Agreement {
  /** What the peer offers to our server. What our client offers is up to its options. */
  readonly offer: string;
  /** What our server has to answer, and what the peer answers our client. */
  readonly answer: string;
  /** What our end has to keep to, where it has announced more than the answer repeats (§7.1.1.2, §7.1.2.2). */
  readonly binding?: string;
}

/** Frames after a good handshake. */
export interface FrameCase extends CaseBase {
  readonly kind: 'frames';
  /** permessage-deflate is in use. Replies are then judged by what they inflate to. */
  readonly deflate?: Agreement;
  readonly input: readonly Piece[];
  readonly app?: App;
  /**
   * What the peer does with TCP behind the input, where it does not what it should.
   * - `'ends'`: it ends its side at once
   * - `'hangs'`: it never does; our end has to, after its `closeTimeout`
   * - `'floods'`: the same, and it sends messages for ever
   */
  readonly peer?: 'ends' | 'hangs' | 'floods';
  readonly expect: Expectation;
  /** Other results the RFC allows. One that occurs has to be listed, with a reason, in expected-failures.txt. */
  readonly alternatives?: readonly { readonly name: string; readonly expect: Expectation }[];
}

/** Value: the header is there once and equal; `null`: the header is absent. Names in lower case. */
export type HeaderRules = Readonly<Record<string, string | null>>;

/** What follows the bytes of a broken handshake. */
export type Afterwards = 'wait' | 'fin' | 'reset';

/** A request for our server. In the text `{host}` becomes its address and port. */
export interface RequestCase extends CaseBase {
  readonly kind: 'request';
  readonly role: 'server';
  readonly request: string | Uint8Array;
  readonly then: Afterwards | 'drip';
  readonly expect: {
    /** Allowed statuses; empty: none has to come, only the end of TCP. */
    readonly status: readonly number[];
    readonly headers?: HeaderRules;
    /** A part of the body. */
    readonly body?: string;
    /** `false`: the connection may stay open for another request. */
    readonly ends?: boolean;
  };
}

/** A response for our client. In the text `{accept}` becomes the right Sec-WebSocket-Accept. */
export interface ResponseCase extends CaseBase {
  readonly kind: 'response';
  readonly role: 'client';
  readonly offered?: readonly string[];
  readonly target?: string;
  readonly response: string | Uint8Array;
  readonly then: Afterwards;
  /** What the request of our client must carry. */
  readonly request?: { readonly line?: string; readonly headers?: HeaderRules };
  readonly expect:
    /** With `deflate`: the extension is in use, with these parameters. */
    | { readonly kind: 'open'; readonly protocol: string; readonly deflate?: string }
    /** Codes of the `error` event, `'any'`: some code, which one is the platform's. Then `close` 1006. */
    | { readonly kind: 'error'; readonly codes: readonly string[] | 'any' };
}

export type Case = FrameCase | RequestCase | ResponseCase;

export const themeOf = (testCase: Case): string => testCase.id.slice(0, testCase.id.indexOf('/'));

export const rolesOf = (testCase: Case): readonly Role[] =>
  testCase.role === 'both' ? ['server', 'client'] : [testCase.role];
