import { afterEach, expect } from '@jest/globals';
import { Program, readmePrograms, stopPrograms } from '@ws/testing';
import type { WebSocket as PeerSocket } from 'ws';

export const packageFolder = new URL('..', import.meta.url);
export const readme = new URL('README.md', packageFolder);

/** The programs of the README. */
export const blocks = readmePrograms(readme, '## Programs');

afterEach(stopPrograms);

/** Starts the program of the README under the sentence that begins so; `around` is added to it. */
export function run(intro: string, options: ConstructorParameters<typeof Program>[2] = {}, around = ''): Program {
  const sections = ['## Programs', '## Broadcast', '## Shutting down'];
  const found = sections
    .flatMap((section) => readmePrograms(readme, section))
    .filter((block) => block.intro.startsWith(intro));
  expect(found).toHaveLength(1);
  return new Program(packageFolder, (found[0]?.code ?? '') + around, options);
}

/** Everything that a peer gets, pongs too, in order. */
export function inbox(socket: PeerSocket): { got: string[]; until: (length: number) => Promise<string[]> } {
  const got: string[] = [];
  let wake = (): void => {};
  const add = (text: string): void => {
    got.push(text);
    wake();
  };
  socket.on('message', (data: Buffer, isBinary) => add(isBinary ? `binary ${data.toString('hex')}` : String(data)));
  socket.on('pong', (data) => add(`pong ${data.toString()}`));
  const until = async (length: number): Promise<string[]> => {
    while (got.length < length) await new Promise<void>((resolve) => (wake = resolve));
    return got;
  };
  return { got, until };
}
