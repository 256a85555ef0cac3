// The cells of the matrix, and what each end is told so that a cell's parameters are agreed on.

/** @typedef {'ws' | 'python' | 'undici' | 'chromium'} PeerName */
/** @typedef {'client' | 'server'} Role */
/**
 * @typedef {object} Cell
 * @property {string} id
 * @property {PeerName} peer
 * @property {Role} role the peer's; ours is the other
 * @property {number} serverBits
 * @property {number} clientBits
 * @property {boolean} serverTakeover
 * @property {boolean} clientTakeover
 * @property {'offer' | 'answer'} asked where the parameters are asked for: in the client's offer, or by the server unasked
 * @property {number} threshold option of both ends of ours and of `ws`
 * @property {Record<string, unknown>} codec options of ours that the wire does not show
 */
/** The options of `ws`; left out: the default. @typedef {{ serverNoContextTakeover?: boolean, clientNoContextTakeover?: boolean, serverMaxWindowBits?: number, clientMaxWindowBits?: number }} Negotiation */

/** What offers only `client_max_window_bits`, without a value, leaves the rest to the server. @type {Record<PeerName, { roles: readonly Role[], asksItself: boolean }>} */
export const PEERS = {
  ws: { roles: ['client', 'server'], asksItself: true },
  python: { roles: ['client', 'server'], asksItself: true },
  undici: { roles: ['client'], asksItself: false },
  chromium: { roles: ['client'], asksItself: false },
};

const BITS = [9, 10, 11, 12, 13, 14, 15];
const EITHER = [true, false];

/** How ours compresses: by default; to and fro between the main thread and the thread pool; with documented calls of zlib only. */
const CODECS = [{}, { syncDeflateLimit: 4096, syncInflateLimit: 2048, syncOutputLimit: 8192 }, { fastPath: false }];

/** All 196 cells of a peer in a role. @param {PeerName} peer @param {Role} role @returns {Cell[]} */
export function cellsOf(peer, role) {
  return BITS.flatMap((serverBits) =>
    BITS.flatMap((clientBits) =>
      EITHER.flatMap((serverTakeover) =>
        EITHER.map((clientTakeover) =>
          makeCell({ peer, role, serverBits, clientBits, serverTakeover, clientTakeover }),
        ),
      ),
    ),
  );
}

/**
 * Who asks, the threshold and the codec change from cell to cell like the colours of a chessboard.
 * @param {Omit<Cell, 'id' | 'asked' | 'threshold' | 'codec'>} parameters
 * @returns {Cell}
 */
function makeCell(parameters) {
  const { peer, role, serverBits, clientBits, serverTakeover, clientTakeover } = parameters;
  const isWhite = (serverBits + clientBits + Number(serverTakeover) + Number(clientTakeover)) % 2 === 0;
  const asked = PEERS[peer].asksItself && isWhite ? 'offer' : 'answer';
  const server = `s${serverBits}${serverTakeover ? 't' : 'n'}`;
  const client = `c${clientBits}${clientTakeover ? 't' : 'n'}`;
  const id = [peer, role, server, client, asked].join('/');
  const codec = CODECS[(serverBits + clientBits + 2 * Number(serverTakeover) + Number(clientTakeover)) % 3] ?? {};
  return { ...parameters, id, asked, threshold: clientBits % 2 === 0 ? 0 : 1024, codec };
}

/** Every peer and role; the smallest and the largest windows; takeover and none in both directions. */
export const FEW_CELLS = [
  makeCell(parametersOf('ws', 'client', 's9t', 'c15n')),
  makeCell(parametersOf('ws', 'client', 's15n', 'c9n')),
  makeCell(parametersOf('ws', 'server', 's9n', 'c15t')),
  makeCell(parametersOf('python', 'client', 's15t', 'c9t')),
  makeCell(parametersOf('python', 'server', 's9t', 'c15t')),
  makeCell(parametersOf('undici', 'client', 's15t', 'c9n')),
  makeCell(parametersOf('chromium', 'client', 's9t', 'c9t')),
  makeCell(parametersOf('chromium', 'client', 's15n', 'c10n')),
];

/** @param {PeerName} peer @param {Role} role @param {string} server @param {string} client as in an id */
function parametersOf(peer, role, server, client) {
  const bits = (/** @type {string} */ text) => Number(text.slice(1, -1));
  return {
    peer,
    role,
    serverBits: bits(server),
    clientBits: bits(client),
    serverTakeover: server.endsWith('t'),
    clientTakeover: client.endsWith('t'),
  };
}

const GOLDEN_RATIO = (1 + Math.sqrt(5)) / 2;

/** `count` cells from everywhere, uneven gaps between them: even ones would always meet the same takeovers. @param {readonly Cell[]} cells @param {number} count */
export const spread = (cells, count) =>
  cells
    .map((cell, i) => ({ cell, at: (i * GOLDEN_RATIO) % 1 }))
    .sort((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ cell }) => cell);

/** What the client is told. @param {Cell} cell @returns {Negotiation} */
export const clientOptions = (cell) => (cell.asked === 'offer' ? allOf(cell) : {});

/**
 * What the server is told. Takeover is the default of no server of ours, so it is always asked for.
 * @param {Cell} cell
 * @returns {Negotiation}
 */
export const serverOptions = (cell) =>
  cell.asked === 'answer'
    ? allOf(cell)
    : {
        ...(cell.serverTakeover && { serverNoContextTakeover: false }),
        ...(cell.clientTakeover && { clientNoContextTakeover: false }),
      };

/** @param {Cell} cell */
const allOf = ({ serverBits, clientBits, serverTakeover, clientTakeover }) => ({
  serverNoContextTakeover: !serverTakeover,
  clientNoContextTakeover: !clientTakeover,
  serverMaxWindowBits: serverBits,
  clientMaxWindowBits: clientBits,
});

/** What the cell's Sec-WebSocket-Extensions must say, as `agreed` words it. @param {Cell} cell */
export const wanted = (cell) => agreed(cell.serverBits, cell.clientBits, cell.serverTakeover, cell.clientTakeover);

/** What an answer of a server says. @param {string} header */
export function readAnswer(header) {
  const [name, ...parameters] = header.split(';').map((part) => part.trim());
  if (name !== 'permessage-deflate' || header.includes(',')) return `no permessage-deflate: ${header}`;
  /** @type {Map<string | undefined, string | undefined>} */
  const values = new Map(
    parameters.map((parameter) => {
      const [key, value] = parameter.split('=');
      return [key, value];
    }),
  );
  const bits = (/** @type {string} */ key) => Number(values.get(key) ?? 15);
  return agreed(
    bits('server_max_window_bits'),
    bits('client_max_window_bits'),
    !values.has('server_no_context_takeover'),
    !values.has('client_no_context_takeover'),
  );
}

/** @param {number} serverBits @param {number} clientBits @param {boolean} serverTakeover @param {boolean} clientTakeover */
const agreed = (serverBits, clientBits, serverTakeover, clientTakeover) =>
  `server ${serverBits}${serverTakeover ? ' takeover' : ''}, client ${clientBits}${clientTakeover ? ' takeover' : ''}`;
