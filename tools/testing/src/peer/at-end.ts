import { afterEach } from '@jest/globals';

const undo: (() => unknown)[] = [];

/** Has it done at the end of the test: what was opened last is closed first. */
export const atEnd = (act: () => unknown): void => void undo.push(act);

afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act();
});
