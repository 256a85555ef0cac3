// A process of the run: asked and told by IPC.
import { fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ANSWER_MS = 60_000;
const STOP_MS = 5000;

export class Peer extends EventEmitter {
  #child;
  #name;
  #exited;

  /** @param {'server' | 'proxy' | 'client'} name */
  constructor(name) {
    super();
    this.#name = name;
    const env = { ...process.env };
    delete env['NODE_OPTIONS'];
    this.#child = fork(fileURLToPath(new URL(`../processes/${name}.mjs`, import.meta.url)), {
      execArgv: ['--expose-gc'],
      env,
    });
    this.#child.on('message', (/** @type {any} */ message) => this.emit(message.type, message));
    this.#exited = once(this.#child, 'exit');
    void this.#exited.then(([code, signal]) =>
      this.emit('gone', new Error(`${name} ended: ${String(code ?? signal)}`)),
    );
  }

  /** @param {object} message */
  send(message) {
    if (this.#child.connected) this.#child.send(message);
  }

  /** @param {object} message @param {string} answer type of the message that answers @param {number} [withinMs] @returns {Promise<any>} */
  ask(message, answer, withinMs = ANSWER_MS) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => done(() => reject(new Error(`${this.#name}: no '${answer}' within ${withinMs} ms`))),
        withinMs,
      );
      const onAnswer = (/** @type {any} */ value) => done(() => resolve(value));
      const onGone = (/** @type {Error} */ error) => done(() => reject(error));
      const done = (/** @type {() => void} */ settle) => {
        clearTimeout(timer);
        this.off(answer, onAnswer);
        this.off('gone', onGone);
        settle();
      };
      this.once(answer, onAnswer);
      this.once('gone', onGone);
      if (this.#child.connected) this.#child.send(message);
      else onGone(new Error(`${this.#name} has ended`));
    });
  }

  async stop() {
    if (this.#child.connected) this.#child.disconnect();
    const overdue = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#exited;
    clearTimeout(overdue);
  }
}
