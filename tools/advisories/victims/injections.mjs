// Every place of a client where a program may put what somebody else wrote, and that somebody writes CR, LF, NUL, or what no header has.
import { WebSocket } from '@ws/client';

/** The row of an advisory is about the first; the others are as good for smuggling, or end in a request that is cut short. */
const POISON = {
  'CR LF': 'a\r\nX-Injected: 1',
  LF: 'a\nX-Injected: 1',
  CR: 'a\rX-Injected: 1',
  NUL: 'a\0b',
  'beyond latin1': 'a\u{1f600}\u010a',
};

/** @type {Record<string, (url: string, poison: string) => WebSocket>} */
const PLACES = {
  'a subprotocol': (url, poison) => new WebSocket(url, [poison]),
  origin: (url, poison) => new WebSocket(url, { origin: poison }),
  host: (url, poison) => new WebSocket(url, { host: poison }),
  'the value of a header': (url, poison) => new WebSocket(url, { headers: { 'X-A': poison } }),
  'one of several values of a header': (url, poison) => new WebSocket(url, { headers: { 'X-A': ['b', poison] } }),
  'the name of a header': (url, poison) => new WebSocket(url, { headers: { [poison]: 'b' } }),
  'a header in a list': (url, poison) => new WebSocket(url, { headers: ['X-A', poison] }),
  'the Host header': (url, poison) => new WebSocket(url, { headers: { Host: poison } }),
  'the Origin header': (url, poison) => new WebSocket(url, { headers: { Origin: poison } }),
  'the Authorization header': (url, poison) => new WebSocket(url, { headers: { Authorization: poison } }),
  'the Cookie header': (url, poison) => new WebSocket(url, { headers: { Cookie: poison } }),
};

/** Options that `http.request` has and we do not. @type {(options: object) => import('@ws/client').ClientOptions} */
const foreign = (options) => options;

/** Taken, but in a form that can do no harm: encoded, or not at all. @type {typeof PLACES} */
const HARMLESS = {
  'the path of the address': (url, poison) => new WebSocket(`${url}${poison}`),
  'the query of the address': (url, poison) => new WebSocket(`${url}?${poison}`),
  'the user in the address': (url, poison) => new WebSocket(url.replace('//', `//${poison}@`)),
  auth: (url, poison) => new WebSocket(url, { auth: poison }),
  'the path of the options': (url, poison) => new WebSocket(url, foreign({ path: poison })),
  method: (url, poison) => new WebSocket(url, foreign({ method: poison })),
  upgrade: (url, poison) => new WebSocket(url, foreign({ upgrade: poison })),
  protocol: (url, poison) => new WebSocket(url, foreign({ protocol: poison })),
  hostname: (url, poison) => new WebSocket(url, foreign({ hostname: poison })),
  'the Upgrade header': (url, poison) => new WebSocket(url, { headers: { Upgrade: poison } }),
};

/**
 * @param {string} url
 * @returns {Promise<{ name: string, must: boolean, outcome: string }[]>} `must`: it has to throw; the outcome is what was thrown at the
 *   call, or how it ended
 */
export async function injections(url) {
  const cases = [
    ...Object.entries(PLACES).map(([place, make]) => ({ place, make, must: true })),
    ...Object.entries(HARMLESS).map(([place, make]) => ({ place, make, must: false })),
  ].flatMap((one) => Object.entries(POISON).map(([what, poison]) => ({ ...one, what, poison })));
  const results = [];
  for (const { place, make, must, what, poison } of cases) {
    const name = `${what} in ${place}`;
    try {
      const socket = make(url, poison);
      socket.on('error', () => {});
      await new Promise((resolve) => socket.once('open', () => resolve(null)).once('close', () => resolve(null)));
      results.push({ name, must, outcome: socket.readyState === WebSocket.OPEN ? 'opened' : 'closed' });
      socket.terminate();
    } catch (error) {
      results.push({ name, must, outcome: error instanceof Error ? error.name : 'what is no Error' });
    }
  }
  return results;
}
