import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { atEnd } from './peers.js';

/** Runs a program in a process of its own, where `@ws/client` is the built package; gives its output and how it ended. */
export async function runModule(program: string): Promise<{ output: string; status: number | null }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  atEnd(() => void child.kill());
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { output, status };
}
