/** What a bundler for browsers takes in the place of the others, so that it has nothing of Node's to look for: as in `ws`, it only throws. */
export function WebSocket(): never {
  throw new Error('@ws/compat/ws does not run in a browser, which has a WebSocket of its own');
}

export const extension = undefined;
export const subprotocol = undefined;
/** The other names of the module: without them a program that imports one, and calls it only in Node, could not be bundled. */
export {
  WebSocket as createWebSocketStream,
  WebSocket as default,
  WebSocket as 'module.exports',
  WebSocket as PerMessageDeflate,
  WebSocket as Receiver,
  WebSocket as Sender,
  WebSocket as Server,
  WebSocket as WebSocketServer,
};
