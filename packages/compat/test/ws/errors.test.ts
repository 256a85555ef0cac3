import { listenSwitching } from '@ws/testing/peer';
import { prove } from '../rows.js';
import { errorCodes } from '../rows/ws.js';
import { closed, same, type ServerOptions } from './differential.js';
import { bytes, rawClient } from './raw.js';

/** A server that gets these bytes from a client, after its handshake. */
const server = (hex: string, options: ServerOptions = {}) =>
  same(async (world) => {
    const { socket, wire } = await rawClient(world, options);
    world.events('server', socket, 'message', 'error', 'close');
    wire.write(bytes(hex));
    world.log(await wire.bytes(4));
    wire.cut();
    await closed(socket);
  });

/** The same of a client, which gets them from a server. */
const client = (hex: string, maxPayload = 100) =>
  same(async (world) => {
    const { url, visit } = await listenSwitching();
    const socket = world.connect(url, { maxPayload });
    world.events('client', socket, 'message', 'error', 'close');
    await new Promise<void>((resolve) => socket.on('open', () => resolve()));
    const { wire: peer } = await visit;
    peer.socket.on('data', () => peer.socket.end());
    peer.write(bytes(hex));
    await closed(socket);
  });

const MASK = '00000000';

prove(errorCodes, {
  'WS8-130': { 'a ping in two': server(`0980 ${MASK}`), 'a close in two': client('0800') },
  'WS8-131': server('8101 61'),
  'WS8-132': {
    '1': server(`8882 ${MASK} 0001`),
    '1005': server(`8882 ${MASK} 03ed`),
    '1006': client('8802 03ee'),
    '1016': client('8802 03f8'),
    '5000': server(`8882 ${MASK} 1388`),
  },
  'WS8-133': { 'too long': server(`89fe 0080 ${MASK}`), 'a close of one byte': server(`8881 ${MASK} 03`) },
  'WS8-134': {
    reserved: server(`8380 ${MASK}`),
    'reserved, of control frames': client('8b00'),
    'a continuation of nothing': server(`8080 ${MASK}`),
    'a message inside of another': server(`0180 ${MASK} 8180 ${MASK}`),
  },
  'WS8-135': {
    'of a message': server(`8181 ${MASK} ff`),
    'of a message in fragments, with a character across them': server(`0181 ${MASK} c3 8081 ${MASK} 28`),
    'of a reason': server(`8883 ${MASK} 03e8 ff`),
    'of a client': client('8101ff'),
  },
  'WS8-136': server(`0180 ${MASK} 0080 ${MASK} 0080 ${MASK}`, { maxFragments: 2 }),
  'WS8-137': client(`8181 ${MASK} 61`),
  'WS8-138': {
    'without an extension': server(`c180 ${MASK}`),
    'on a ping': server(`c980 ${MASK}`, { perMessageDeflate: true }),
  },
  'WS8-139': { RSV2: server(`a180 ${MASK}`), RSV3: client('9100') },
  'WS8-140': server(`82ff 0020000000000000 ${MASK}`, { maxPayload: 0 }),
  'WS8-141': {
    'as declared': server(`82fe 0080 ${MASK}`, { maxPayload: 100 }),
    'in fragments': server(`0283 ${MASK} 616263 8083 ${MASK} 616263`, { maxPayload: 5 }),
    'of a client': client('827e 0080'),
  },
});
