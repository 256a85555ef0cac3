// Collects the scenario's results: of the page itself, of a Worker that loads the built modules by address (import maps do not reach
// Workers), and of a Worker that loads them as a bundle.
import { run } from '../portable/installed.mjs';

/** @param {string} address @param {WorkerOptions} options */
const fromWorker = (address, options) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(address, options);
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(`${address}: ${message}`));
  });

export const results = async () => ({
  page: run(),
  worker: await fromWorker('/src/page/worker.mjs', { type: 'module' }),
  bundledWorker: await fromWorker('/bundle.js', { type: 'classic' }),
});
