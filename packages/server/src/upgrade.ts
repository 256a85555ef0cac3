import { sharedTimers, WheelTimer } from '@ws/connection';
import {
  checkHost,
  checkOrigin,
  checkUpgradeRequest,
  negotiateExtensions,
  selectSubprotocol,
  type HandshakeError,
  type UpgradeOffer,
  type UpgradeRequest,
} from '@ws/handshake';
import { NOBODY, type Visitor } from './admission.js';
import type { HandleProtocolsAnswer, ProtocolRefusal } from './options.js';
import type { PendingUpgrade } from './pending.js';
import { ignoreErrors, type Refusal, type RefusalReason } from './refusal.js';
import { refuseClient, type Client, type UpgradeCall, type UpgradeHost } from './upgrade-host.js';
import { unserved } from './upgrade-routing.js';
import { askVerifyClient, isPromiseLike, type VerifyClientResult } from './verify-client.js';

/**
 * One opening handshake on its way through a server: checks first, questions to user code then, cheapest first.
 * Answers that are there at once are used at once, so that a handshake without Promises ends in the tick it began in.
 */
export class Upgrade<Data> implements PendingUpgrade {
  readonly #host: UpgradeHost<Data>;
  readonly #call: UpgradeCall<Data>;
  #visitor: Visitor = NOBODY;
  #timer: WheelTimer | undefined;
  #waiting = false;
  /** Answered, given away, or the peer is gone: whatever comes in now is too late. */
  #settled = false;

  constructor(host: UpgradeHost<Data>, call: UpgradeCall<Data>) {
    this.#host = host;
    this.#call = call;
  }

  start(): void {
    const { request, socket } = this.#call;
    ignoreErrors(socket);
    if (socket.destroyed || !socket.writable) {
      this.#settle();
      socket.destroy();
      return;
    }
    if (this.#host.isClosing()) return this.refuse(this.#host.admission.closing());
    let handshake: UpgradeRequest;
    let reason: RefusalReason = 'handshake';
    try {
      handshake = this.#host.handshakeOf(request);
      reason = 'trustProxy';
      this.#visitor = this.#host.admission.arrive(handshake.headers, socket);
    } catch (error) {
      return this.refuse({ reason, status: 500, error });
    }
    this.#checkRequest(handshake);
  }

  #checkRequest(handshake: UpgradeRequest): void {
    const { draft08, maxHeaderSize, maxHeaderCount } = this.#host.options;
    const decision = checkUpgradeRequest(handshake, {
      draft08,
      maxHeaderSize: maxHeaderSize || Infinity,
      maxHeaderCount: maxHeaderCount || Infinity,
    });
    if (decision.accepted) this.#checkPath(decision.offer);
    else if (decision.error.code === 'WS_ERR_TOO_MANY_HEADERS') this.refuse(faulty('maxHeaderCount', decision.error));
    else if (decision.error.code === 'WS_ERR_HEADER_TOO_LARGE') this.refuse(faulty('maxHeaderSize', decision.error));
    else this.#refuseMalformed(decision.error);
  }

  refuse(refusal: Refusal): void {
    this.#settle();
    refuseClient(this.#host, this.#client, refusal);
  }

  get #client(): Client {
    const { request, socket } = this.#call;
    return { request, socket, remoteAddress: this.#visitor.address };
  }

  #refuseMalformed(error: HandshakeError): void {
    this.#settle();
    if (this.#host.giveAway(error, this.#client)) return;
    this.refuse(faulty('handshake', error));
  }

  #checkPath(offer: UpgradeOffer): void {
    this.#ask(
      'path',
      () => this.#host.shouldHandle(this.#call.request),
      (handled) => {
        if (handled) this.#checkHost(offer);
        else this.refuse(unserved(this.#host.options.unservedPath));
      },
    );
  }

  #checkHost(offer: UpgradeOffer): void {
    const { allowedHosts } = this.#host.options;
    if (!allowedHosts || checkHost(offer.host, allowedHosts)) return this.#checkOrigin(offer);
    const body = 'this host is not served here; the option "allowedHosts" of the WebSocket server says which are';
    this.refuse({ reason: 'allowedHosts', status: 403, body });
  }

  #checkOrigin(offer: UpgradeOffer): void {
    const { origins } = this.#host.options;
    const { origin, host } = offer;
    if (origin === undefined || origins === 'any') return this.#enter(offer);
    this.#ask(
      'origins',
      () => (typeof origins === 'function' ? origins(origin, this.#call.request) : checkOrigin(origin, host, origins)),
      (allowed) => {
        if (allowed) return this.#enter(offer);
        const body = 'this origin is not accepted here; the option "origins" of the WebSocket server says which are';
        this.refuse({ reason: 'origins', status: 403, body });
      },
    );
  }

  /** The limits; from here on it has a place. */
  #enter(offer: UpgradeOffer): void {
    const refusal = this.#host.admission.enter(this.#visitor, this.#call.socket);
    if (refusal) this.refuse(refusal);
    else this.#verify(offer);
  }

  #verify(offer: UpgradeOffer): void {
    const { verifyClient } = this.#host.options;
    if (!verifyClient) return this.#selectProtocol(offer, undefined);
    const req = this.#call.request;
    const secure = isSecure(req.socket);
    this.#ask(
      'verifyClient',
      () => askVerifyClient<Data>(verifyClient, { origin: offer.origin, secure, req }),
      (result) => {
        if (result.accept) this.#selectProtocol(offer, result.data);
        else this.refuse(refusedBy('verifyClient', result, 401));
      },
    );
  }

  #selectProtocol(offer: UpgradeOffer, data: Data | undefined): void {
    const { handleProtocols, protocols, protocolPreference } = this.#host.options;
    if (offer.protocols.length === 0) return this.#complete(offer, '', data);
    if (!handleProtocols) {
      const selected = protocols
        ? selectSubprotocol(offer.protocols, protocols, protocolPreference)
        : offer.protocols[0];
      return this.#complete(offer, selected ?? '', data);
    }
    this.#ask(
      'handleProtocols',
      () => handleProtocols(new Set(offer.protocols), this.#call.request),
      (answer) => {
        if (isRefusal(answer)) return this.refuse(refusedBy('handleProtocols', answer, 400));
        const protocol = answer || '';
        if (protocol === '' || offer.protocols.includes(protocol)) return this.#complete(offer, protocol, data);
        const error = new RangeError(`handleProtocols gave ${show(protocol)}, which the client did not offer`);
        this.refuse({ reason: 'handleProtocols', status: 500, error });
      },
    );
  }

  #complete(offer: UpgradeOffer, protocol: string, data: Data | undefined): void {
    if (protocol === '' && this.#host.options.requireProtocol) {
      const body = 'none of the subprotocols that this server speaks was asked for';
      return this.refuse({ reason: 'requireProtocol', status: 400, body });
    }
    const extensions = negotiateExtensions(offer.extensions, this.#host.extensions);
    this.#settle();
    const remoteAddress = this.#host.options.trustProxy === false ? undefined : this.#visitor.address;
    this.#host.complete({ offer, protocol, extensions, remoteAddress, data }, this.#call);
  }

  /**
   * Puts one question to user code. What it throws, or rejects with, is a 500 and no exception of ours; what happens
   * in `next` is: an error of a 'connection' listener goes the way of any listener's error.
   */
  #ask<Answer>(
    reason: RefusalReason,
    question: () => Answer | PromiseLike<Answer>,
    next: (answer: Answer) => void,
  ): void {
    let answer: Answer | PromiseLike<Answer>;
    const fail = (error: unknown): void => this.refuse({ reason, status: 500, error });
    try {
      answer = question();
    } catch (error) {
      return fail(error);
    }
    if (!isPromiseLike(answer)) return next(answer);
    if (!this.#wait()) {
      Promise.resolve(answer).catch(() => {}); // nobody will hear it
      return this.refuse(this.#host.admission.refusal('maxPending', 'too many clients are waiting'));
    }
    // Out of the Promise again, for there an exception would be a rejection that nobody sees.
    const later = (act: () => void): void => queueMicrotask(() => void (this.#settled || act()));
    Promise.resolve(answer).then(
      (value) => later(() => next(value)),
      (error: unknown) => later(() => fail(error)),
    );
  }

  /** From the first question that is not answered at once: the peer may go, and the time may run out. @returns false if too many wait */
  #wait(): boolean {
    if (this.#waiting) return true;
    if (!this.#host.pending.addWaiting(this)) return false;
    this.#waiting = true;
    this.#call.socket.once('close', this.#settle);
    this.#call.socket.once('end', this.#onEnd);
    const { handshakeTimeout } = this.#host.options;
    if (handshakeTimeout > 0) sharedTimers.schedule((this.#timer = new WheelTimer(this.#timeOut)), handshakeTimeout);
    return true;
  }

  /** Whoever ends the connection before it is open does not wait for the answer. */
  readonly #onEnd = (): void => {
    this.#settle();
    this.#call.socket.destroy();
  };

  readonly #timeOut = (): void =>
    this.refuse({ reason: 'handshakeTimeout', status: 503, body: 'the server did not decide in time' });

  readonly #settle = (): void => {
    this.#settled = true;
    if (!this.#waiting) return;
    if (this.#timer) sharedTimers.cancel(this.#timer);
    this.#host.pending.deleteWaiting(this);
    this.#call.socket.off('close', this.#settle);
    this.#call.socket.off('end', this.#onEnd);
  };
}

function faulty(reason: RefusalReason, error: HandshakeError): Refusal {
  return { reason, status: error.status, body: error.message, headers: error.headers, error };
}

/** As `ws` 8: the callback's message is the body; it is the reason phrase too, where a status line can hold it. */
function refusedBy(reason: RefusalReason, result: VerifyClientResult, otherwise: number): Refusal {
  const text = result.reason || undefined;
  const phrase = text !== undefined && /^[ -~]+$/.test(text) ? text : undefined;
  return { reason, status: result.code || otherwise, body: text, phrase, headers: result.headers };
}

function isRefusal(answer: HandleProtocolsAnswer): answer is ProtocolRefusal {
  return typeof answer === 'object' && answer !== null && (answer as Partial<ProtocolRefusal>).accept === false;
}

const show = (answer: unknown): string => (typeof answer === 'string' ? JSON.stringify(answer) : `a ${typeof answer}`);

function isSecure(socket: object): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}
