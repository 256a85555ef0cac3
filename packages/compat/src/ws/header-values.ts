import { formatExtensions, HandshakeError, parseExtensions, parseSubprotocols } from '@ws/handshake';

/** As `ws` has them: parameters by name, each with a list of values, for each time that an extension stands there. */
export type ExtensionParameters = Record<string, (string | number | boolean)[]>;
export type Extensions = Record<string, ExtensionParameters[]>;

/** Values of `Sec-WebSocket-Extensions`. */
export const extension = {
  /** @throws {SyntaxError} */
  parse(header: string): Extensions {
    const extensions = table<ExtensionParameters[]>();
    for (const { name, parameters } of orSyntaxError(() => parseExtensions(header))) {
      const params = table<(string | number | boolean)[]>();
      for (const [key, value] of parameters) (params[key] ??= []).push(value);
      (extensions[name] ??= []).push(params);
    }
    return extensions;
  },

  format(extensions: Readonly<Record<string, unknown>>): string {
    const list = Object.entries(extensions).flatMap(([name, configurations]) =>
      [configurations].flat().map((params) => ({ name, parameters: parameterList(params as object) })),
    );
    return formatExtensions(list);
  },
};

/** Values of `Sec-WebSocket-Protocol`. */
export const subprotocol = {
  /** @throws {SyntaxError} */
  parse: (header: string): Set<string> => new Set(orSyntaxError(() => parseSubprotocols(header))),
};

/** In the form of `@ws/handshake`; a value may stand alone, without a list. */
export function parameterList(params: object): [string, string | true][] {
  return Object.entries(params).flatMap(([key, values]) =>
    [values].flat().map((value): [string, string | true] => [key, value === true ? true : String(value)]),
  );
}

/** What a peer names goes into it. */
const table = <T>(): Record<string, T> => Object.create(null) as Record<string, T>;

function orSyntaxError<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof HandshakeError) throw Object.assign(new SyntaxError(error.message), { code: error.code });
    throw error;
  }
}
