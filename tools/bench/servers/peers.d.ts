// What is used here of packages that have no types.
declare module 'websocket' {
  import type { EventEmitter } from 'node:events';
  import type { Server } from 'node:http';

  type Message = { type: 'utf8'; utf8Data: string } | { type: 'binary'; binaryData: Buffer };
  interface Connection {
    on(event: 'message', listener: (message: Message) => void): this;
    sendUTF(text: string): void;
    sendBytes(bytes: Buffer): void;
  }
  interface Request {
    readonly origin: string;
    accept(protocol: string | null, origin: string): Connection;
  }
  interface Options {
    httpServer: Server;
    maxReceivedFrameSize: number;
    maxReceivedMessageSize: number;
  }
  const websocket: {
    server: new (
      options: Options,
    ) => EventEmitter & { on(event: 'request', listener: (request: Request) => void): void };
  };
  export default websocket;
}

declare module 'faye-websocket' {
  import type { IncomingMessage } from 'node:http';
  import type { Duplex } from 'node:stream';

  export default class WebSocket {
    static isWebSocket(request: IncomingMessage): boolean;
    constructor(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      protocols: string[],
      options: { maxLength: number },
    );
    on(event: 'message', listener: (event: { data: string | Buffer }) => void): this;
    send(data: string | Buffer): boolean;
  }
}

declare module 'nodejs-websocket' {
  import type { Server } from 'node:net';
  import type { Readable } from 'node:stream';

  interface Connection {
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'text', listener: (text: string) => void): this;
    on(event: 'binary', listener: (stream: Readable) => void): this;
    sendText(text: string): void;
    sendBinary(bytes: Buffer): void;
  }
  const websocket: {
    setMaxBufferLength(bytes: number): void;
    createServer(listener: (connection: Connection) => void): {
      readonly socket: Server;
      listen(port: number, host: string, listener: () => void): void;
    };
  };
  export default websocket;
}

declare module 'bufferutil' {
  const bufferutil: { mask(source: Buffer, mask: Buffer, output: Buffer, offset: number, length: number): void };
  export default bufferutil;
}
