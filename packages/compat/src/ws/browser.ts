/** What a bundler for browsers takes in the place of the others, so that it has nothing of Node's to look for: as in `ws`, it only throws. */
export function WebSocket(): never {
  throw new Error('@ws/compat/ws does not run in a browser, which has a WebSocket of its own');
}

export { WebSocket as default, WebSocket as 'module.exports' };
