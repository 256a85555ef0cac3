// A member of the room from another implementation: undici's WebSocket, with its messages in a queue.
import { WebSocket } from 'undici';

export class Peer {
  /** @type {any[]} */
  #queue = [];
  /** @type {{ wanted: (message: any) => boolean, resolve: (message: any) => void, reject: (error: Error) => void }[]} */
  #waiting = [];
  /** @type {Error | undefined} */
  #ended;

  /** @param {WebSocket} socket */
  constructor(socket) {
    this.socket = socket;
    /** @type {Promise<{ code: number, reason: string }>} */
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => {
        resolve({ code, reason });
        this.#ended = new Error(`closed (${code} ${reason}) before the message came`);
        this.#match();
      });
    });
    socket.addEventListener('message', ({ data }) => {
      this.#queue.push(JSON.parse(data));
      this.#match();
    });
  }

  /**
   * @param {string} url of the page
   * @param {string} [path]
   * @returns {Promise<Peer>}
   */
  static async connect(url, path = '/chat') {
    const socket = new WebSocket(new URL(path, url.replace(/^http/, 'ws')));
    const peer = new Peer(socket);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', reject);
    });
    return peer;
  }

  /**
   * @param {string} url of the page
   * @param {unknown} name
   * @returns {Promise<Peer & { welcome: any }>}
   */
  static async join(url, name) {
    const peer = await Peer.connect(url);
    peer.send({ type: 'join', name });
    return Object.assign(peer, { welcome: await peer.next('welcome') });
  }

  /** @param {object} message */
  send(message) {
    this.socket.send(JSON.stringify(message));
  }

  /**
   * Takes the first message of that type, and of that kind, that came or will come.
   * @param {string} type
   * @param {(message: any) => boolean} [matches]
   * @returns {Promise<any>}
   */
  next(type, matches = () => true) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ wanted: (message) => message.type === type && matches(message), resolve, reject });
      this.#match();
    });
  }

  async close() {
    this.socket.close(1000);
    return this.closed;
  }

  #match() {
    this.#waiting = this.#waiting.filter(({ wanted, resolve, reject }) => {
      const i = this.#queue.findIndex(wanted);
      if (i === -1 && this.#ended !== undefined) reject(this.#ended);
      if (i === -1) return this.#ended === undefined;
      resolve(this.#queue.splice(i, 1)[0]);
      return false;
    });
  }
}
