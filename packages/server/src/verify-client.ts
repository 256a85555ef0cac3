import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';

/** What `verifyClient` decides by. */
export interface VerifyClientInfo<Request extends IncomingMessage = IncomingMessage> {
  /** The `Origin` header (`Sec-WebSocket-Origin` in version 8). */
  readonly origin: string | undefined;
  /** Whether the request came over TLS. */
  readonly secure: boolean;
  readonly req: Request;
}

/** The long form of an answer. */
export interface VerifyClientResult<Data = unknown> {
  readonly accept: boolean;
  /** Status of the refusal. @default 401 */
  readonly code?: number | undefined;
  /** Reason phrase and body of the refusal. @default the status's own */
  readonly reason?: string | undefined;
  /** Further headers of the refusal. */
  readonly headers?: OutgoingHttpHeaders | undefined;
  /** Becomes `socket.data` of an accepted client. */
  readonly data?: Data | undefined;
}

export type VerifyClientAnswer<Data = unknown> = boolean | VerifyClientResult<Data>;

export type VerifyClientCallbackSync<Request extends IncomingMessage = IncomingMessage, Data = unknown> = (
  info: VerifyClientInfo<Request>,
) => VerifyClientAnswer<Data> | Promise<VerifyClientAnswer<Data>>;

export type VerifyClientCallbackAsync<Request extends IncomingMessage = IncomingMessage, Data = unknown> = (
  info: VerifyClientInfo<Request>,
  callback: VerifyClientReply<Data>,
) => void;

/** Only the first call counts. */
export type VerifyClientReply<Data = unknown> = (
  result: VerifyClientAnswer<Data>,
  code?: number,
  message?: string,
  headers?: OutgoingHttpHeaders,
) => void;

/**
 * Both forms of `ws` 8 as one signature, so that parameters get their types: a function of one parameter returns the
 * answer or a Promise of it, a function of two calls back. As a method, so that a parameter may be annotated in the words of `ws`.
 */
export type VerifyClient<Data = unknown> = {
  method(
    info: VerifyClientInfo,
    callback: VerifyClientReply<Data>,
  ): VerifyClientAnswer<Data> | Promise<VerifyClientAnswer<Data>> | void;
}['method'];

/**
 * Asks, in whichever form the function has. Throws or rejects with what the function threw.
 * An answer that is there when the function returns is returned as it is, so that nothing waits needlessly.
 */
export function askVerifyClient<Data>(
  verifyClient: VerifyClient<Data>,
  info: VerifyClientInfo,
): VerifyClientResult<Data> | Promise<VerifyClientResult<Data>> {
  if (verifyClient.length === 2) return askByCallback(verifyClient, info);
  const answer: unknown = (verifyClient as VerifyClientCallbackSync<IncomingMessage, Data>)(info); // no callback: its answer would count for nothing
  return isPromiseLike(answer) ? Promise.resolve(answer).then(toResult<Data>) : toResult<Data>(answer);
}

function askByCallback<Data>(
  verifyClient: VerifyClient<Data>,
  info: VerifyClientInfo,
): VerifyClientResult<Data> | Promise<VerifyClientResult<Data>> {
  let reply: { readonly answer: unknown } | undefined;
  let resolve: ((answer: unknown) => void) | undefined;
  const returned: unknown = verifyClient(info, (result, code, message, headers) => {
    if (reply) return;
    const status: unknown = code; // as digits too, as in ws 8
    const refusal = { code: typeof status === 'string' ? Number(status) : code, reason: message, headers };
    const answer = isAnswer(result) ? result : { accept: Boolean(result as unknown), ...refusal };
    reply = { answer };
    resolve?.(answer);
  });
  // An async function's own failure: it answers as a throw does, unless the callback has answered before.
  const failure = isPromiseLike(returned) ? Promise.resolve(returned).then(() => undefined) : undefined;
  if (reply) {
    failure?.catch(() => {});
    return toResult<Data>(reply.answer);
  }
  const answer = new Promise<unknown>((fulfil, reject) => {
    resolve = fulfil;
    failure?.catch(reject);
  });
  return answer.then(toResult<Data>);
}

/** @throws {TypeError} for an object without `accept`: whatever was meant, it must not let everybody in. What `match` finds is a list. */
function toResult<Data>(answer: unknown): VerifyClientResult<Data> {
  if (!isAnswer(answer)) return { accept: Boolean(answer) };
  if (!('accept' in answer)) throw new TypeError('verifyClient gave an object without "accept"');
  return answer as VerifyClientResult<Data>;
}

export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return isObject(value) && 'then' in value && typeof value.then === 'function';
}

/** A list with something in it is a yes; an empty one is in doubt. */
const isAnswer = (value: unknown): value is object => isObject(value) && !(Array.isArray(value) && value.length > 0);

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
