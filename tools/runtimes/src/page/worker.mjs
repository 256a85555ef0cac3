// The entries without imports of their own load in a Worker as they are.
import { frameScenario, handshakeScenario } from '../portable/scenario.mjs';

const [frame, handshake] = await Promise.all(
  ['/@ws/frame/index.js', '/@ws/handshake/index.js'].map((address) => import(address)),
);
postMessage({ frame: frameScenario(frame), handshake: handshakeScenario(handshake) });
