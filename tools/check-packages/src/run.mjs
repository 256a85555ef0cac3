import { execFile } from 'node:child_process';

/**
 * Runs a program to its end.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {import('node:child_process').ExecFileOptions} [options]
 * @returns {Promise<{ passed: boolean, stdout: string, output: string }>} output: what it wrote to either stream
 */
export function run(file, args, options) {
  return new Promise((resolve) => {
    execFile(file, args, { maxBuffer: 2 ** 26, ...options, encoding: 'utf8' }, (error, stdout, stderr) =>
      resolve({ passed: error === null, stdout, output: `${stdout}${stderr}`.trim() || (error?.message ?? '') }),
    );
  });
}
