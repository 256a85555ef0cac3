import type { ServerOptions } from '@ws/server';
import type { ClientOptions } from '@ws/client';

type Hook = 'never' | 'refuse' | 'injectReason' | 'injectHeader' | 'injectName' | 'injectProtocol' | 'throws';

/** What a server victim is started with; goes as JSON. */
export interface ServerSpec {
  readonly options?: ServerOptions;
  /** Its own port, a http server of the program, or such a one whose streams give chunks of one byte, or of 100. @default 'port' */
  readonly way?: 'port' | 'http' | 'bytes' | 'pieces';
  /** Whether it listens for connections and echoes; else it has no listener at all. @default true */
  readonly echo?: boolean;
  /** Callbacks of the server, by name. */
  readonly hooks?: { readonly verifyClient?: Hook; readonly handleProtocols?: Hook; readonly origins?: Hook };
  /** Headers with which anybody is let in; false: nobody innocent is connected. */
  readonly innocent?: Readonly<Record<string, string>> | false;
  /** Options of the http server. */
  readonly http?: { readonly maxHeaderSize?: number };
}

/** What a client victim is told to connect with; goes as JSON. */
export interface ClientSpec {
  readonly url: string;
  readonly protocols?: readonly string[];
  readonly options?: ClientOptions;
  /** Whether it listens for anything: without, whatever the peer does after `'open'` meets no listener. @default true */
  readonly listens?: boolean;
  /** Whether each byte reaches it in a chunk of its own. */
  readonly byteByByte?: boolean;
  /** Through a CONNECT proxy on this port, its tunnel made by the option that is named. */
  readonly proxy?: { readonly port: number; readonly by: 'createConnection' | 'agent' };
}
