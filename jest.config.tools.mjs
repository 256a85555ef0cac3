// What the jest runs of the plain JavaScript packages under tools/ share: ES modules as they are, nothing transformed.
import { fileURLToPath } from 'node:url';

export default {
  testTimeout: 30_000, // for what never ends, on a machine that is busy with others
  testEnvironment: 'node',
  transform: {},
  testMatch: ['<rootDir>/test/**/*.test.mjs'],
  globalSetup: fileURLToPath(new URL('tools/jest-reports.mjs', import.meta.url)),
  globalTeardown: fileURLToPath(new URL('tools/jest-exit.mjs', import.meta.url)),
};
