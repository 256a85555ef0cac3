// The scenario on the packages as a program names them: for runtimes with node_modules, pages with an import map, and bundlers.
import * as protocol from '@ws/connection/protocol';
import * as deflate from '@ws/deflate';
import * as frame from '@ws/frame';
import * as handshake from '@ws/handshake';
import { deflateScenario, frameScenario, handshakeScenario, protocolScenario } from './scenario.mjs';

export const run = () => ({
  frame: frameScenario(frame),
  handshake: handshakeScenario(handshake),
  negotiation: deflateScenario(deflate),
  protocol: protocolScenario(frame, protocol),
});
