// What every runtime has to do with the portable entries, and come to the same result. Imports nothing: each host brings the modules
// in the way it loads them. Uses ECMAScript alone.

/** @typedef {typeof import('@ws/frame')} Frame */
/** @typedef {typeof import('@ws/handshake')} Handshake */
/** @typedef {typeof import('@ws/deflate')} Deflate */
/** @typedef {typeof import('@ws/connection/protocol')} ProtocolEntry */

/** @param {Frame} frame */
export function frameScenario({ Opcode, FrameParser, ProtocolError, Utf8Validator, ...frame }) {
  const hello = bytes('48656c6c6f');
  const masked = frame.encodeFrame({ opcode: Opcode.Text, maskingKey: 0x37fa213d }, hello);

  const roundTrip = bytes('000102030405060708090a0b0c0d0e0f101112');
  frame.mask(roundTrip.subarray(0, 7), 0x01020304);
  frame.mask(roundTrip.subarray(7), 0x01020304, 7);
  const maskedInTwo = hex(roundTrip);

  /** @type {string[]} */
  const events = [];
  const parser = new FrameParser(
    { role: 'server' },
    {
      head: ({ opcode, fin }) => events.push(`head ${opcode} ${fin}`),
      payload: (slice, offset, isLast) => events.push(`payload ${hex(slice)} ${offset} ${isLast}`),
      frameEnd: () => events.push('frame end'),
      messageEnd: () => events.push('message end'),
    },
  );
  for (let n = 0; n < masked.length; n++) parser.push(masked.slice(n, n + 1));

  const wholes = /** @type {string[]} */ ([]);
  const straight = new FrameParser({}, { frame: ({ opcode }, payload) => wholes.push(`${opcode} ${hex(payload)}`) });
  straight.push(bytes('8103414243' + '890158' + '020144' + '800145'));

  const utf8 = new Utf8Validator();
  return {
    unmasked: hex(frame.encodeFrame({ opcode: Opcode.Text }, hello)),
    masked: hex(masked),
    header: frame.decodeHeader(bytes('827f0000000000010000')),
    maskedInTwo,
    events,
    wholes,
    utf8: [utf8.push(bytes('f09f')), utf8.end(), utf8.push(bytes('9880')), utf8.end(), utf8.push(bytes('eda0'))],
    close: frame.decodeClosePayload(frame.encodeClosePayload(1001, 'grüße')),
    violation: attempt(() => new FrameParser({ role: 'client' }, {}).push(masked.slice()), ProtocolError),
  };
}

/** @param {Handshake} handshake */
export function handshakeScenario({ HandshakeError, ...handshake }) {
  const request = handshake.upgradeRequest({ host: 'example.com', target: '/chat?x=1', protocols: ['soup', 'chat'] });
  const decision = handshake.checkUpgradeRequest(request);
  if (!decision.accepted) throw decision.error;
  const { offer } = decision;
  const protocol = handshake.selectSubprotocol(offer.protocols, ['chat', 'soup'], 'server') ?? '';
  const response = handshake.upgradeResponse(offer, { protocol });
  const answer = handshake.checkUpgradeResponse(response, { key: request.key, protocols: ['soup', 'chat'] });
  const stranger = handshake.checkUpgradeResponse(response, {
    key: handshake.generateKey(),
    protocols: ['soup', 'chat'],
  });
  return {
    accept: handshake.acceptFor('dGhlIHNhbXBsZSBub25jZQ=='),
    path: offer.path,
    status: response.status,
    answer: answer.accepted ? answer.protocol : answer.error.code,
    stranger: stranger.accepted ? '' : stranger.error.code,
    keyLength: handshake.generateKey().length,
    keysDiffer: handshake.generateKey() !== handshake.generateKey(),
    extensions: handshake.formatExtensions(
      handshake.parseExtensions('permessage-deflate; client_max_window_bits , x; y="1"'),
    ),
    violation: attempt(() => handshake.parseExtensions('a; b=;'), HandshakeError),
    origin: handshake.checkOrigin('https://example.com', 'example.com:443', 'same'),
  };
}

/** The parameters alone: what compresses is Node's. @param {Deflate} deflate */
export function deflateScenario({ answer, checkAnswer, DeflateError, offer, Window }) {
  const offers = offer([{ serverMaxWindowBits: 10, serverNoContextTakeover: true }, {}]);
  const answered = answer(offers, { serverMaxWindowBits: 9, serverNoContextTakeover: false, clientMaxWindowBits: 12 });
  const window = new Window(8);
  window.add(bytes('0102'.repeat(200)));
  return {
    offers: offers.map(({ parameters }) => parameters.map((parameter) => parameter.join('='))),
    response: answered?.response.parameters.map((parameter) => parameter.join('=')),
    agreed: answered && checkAnswer(answered.response, {}),
    none: answer([{ name: 'permessage-deflate', parameters: [['mux', true]] }]),
    violation: attempt(() => checkAnswer({ name: 'permessage-deflate', parameters: [['mux', true]] }), DeflateError),
    window: hex(window.block.subarray(0, 9)),
  };
}

/**
 * Two cores, joined by two queues, from the first message to the end of the closing handshake.
 * @param {Frame} frame
 * @param {ProtocolEntry} protocol
 */
export function protocolScenario({ encodeFrame, CloseCode }, { Protocol }) {
  /** @type {string[]} */
  const log = [];
  /** @type {(() => void)[]} */
  const wire = [];
  let nowMs = 1000;

  /** @param {'client' | 'server'} role @param {() => InstanceType<typeof Protocol>} peer */
  const end = (role, peer) =>
    new Protocol(
      {
        role,
        now: () => nowMs,
        limits: { maxPayload: 1024, maxFragments: 16, maxBufferedChunks: 4096 },
        closeTimeoutMs: 100,
      },
      {
        isCongested: false,
        isFull: false,
        isBroken: false,
        hasBacklog: false,
        progress: 0,
        hasRoom: () => true,
        frameHead: () => {}, // nobody sends in parts here
        framePart: () => {},
        dropped: () => {},
        frame(opcode, fin, rsv, payload, callback) {
          const raw = typeof payload === 'string' ? utf8Bytes(payload) : payload;
          const encoded = encodeFrame(
            role === 'client' ? { opcode, fin, rsv, maskingKey: 0xa1b2c3d4 } : { opcode, fin, rsv },
            raw,
          );
          wire.push(() => {
            for (let n = 0; n < encoded.length; n += 3) peer().receive(encoded.slice(n, n + 3));
            callback?.();
          });
          return raw.length;
        },
        end() {
          log.push(`${role} ends`);
          wire.push(() => peer().transportEnd());
        },
        destroy: () => log.push(`${role} destroys`),
      },
      {
        message: (data, isText) => log.push(`${role} message ${[data].flat().map(hex).join('+')} ${isText}`),
        ping: (payload) => log.push(`${role} ping ${hex(payload)}`),
        pong: (payload) => log.push(`${role} pong ${hex(payload)}`),
        closing: (code, reason, initiator) => log.push(`${role} closing ${code} ${reason} ${initiator}`),
        failure: (error) => log.push(`${role} failure ${error.code}`),
        ready: () => {},
        deadline: () => {},
      },
    );
  const client = end('client', () => server);
  const server = end('server', () => client);
  const flush = () => {
    for (let deliver = wire.shift(); deliver !== undefined; deliver = wire.shift()) deliver();
  };

  client.send('grüße', true, true, undefined, undefined);
  client.send(bytes('0102'), false, false, undefined, undefined);
  client.ping(bytes('99'));
  client.send(bytes('03'), false, true, undefined, undefined);
  flush();
  server.close(CloseCode.GoingAway, 'bye');
  flush();
  log.push(
    `client ${client.state} ${client.closing.received?.code}`,
    `server ${server.state} ${server.closing.received?.code}`,
  );

  const broken = end('server', () => client);
  broken.receive(bytes('8105'));
  log.push(`deadline ${broken.nextDeadline()}`);
  nowMs += 100;
  broken.handleTimeout(nowMs);
  return log;
}

/** @param {() => unknown} action @param {abstract new (...args: any) => { code: string }} ErrorClass */
function attempt(action, ErrorClass) {
  try {
    action();
    return 'nothing was thrown';
  } catch (error) {
    return error instanceof ErrorClass ? error.code : String(error);
  }
}

/** @param {string} digits */
function bytes(digits) {
  return Uint8Array.from({ length: digits.length / 2 }, (_, n) => Number.parseInt(digits.slice(2 * n, 2 * n + 2), 16));
}

/** @param {Uint8Array} data */
function hex(data) {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** UTF-8 by way of encodeURIComponent, which is ECMAScript. @param {string} text */
function utf8Bytes(text) {
  return bytes(
    encodeURIComponent(text).replace(/%(..)|./g, (char, digits) => digits ?? char.charCodeAt(0).toString(16)),
  );
}
