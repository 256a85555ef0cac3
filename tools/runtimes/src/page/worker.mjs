// The entries without imports of their own load in a Worker as they are.
import { deflateScenario, frameScenario, handshakeScenario } from '../portable/scenario.mjs';

const [frame, handshake, deflate] = await Promise.all(
  ['frame', 'handshake', 'deflate'].map((name) => import(`/@ws/${name}/index.js`)),
);
postMessage({
  frame: frameScenario(frame),
  handshake: handshakeScenario(handshake),
  negotiation: deflateScenario(deflate),
});
