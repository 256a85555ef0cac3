// What every package's jest run shares; a package adds only what is its own.
import { fileURLToPath } from 'node:url';

export default {
  testTimeout: 30_000, // for what never ends, on a machine that is busy with others
  testEnvironment: 'node',
  globalSetup: fileURLToPath(new URL('tools/jest-reports.mjs', import.meta.url)),
  globalTeardown: fileURLToPath(new URL('tools/jest-exit.mjs', import.meta.url)),
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': ['ts-jest', { useESM: true, tsconfig: '<rootDir>/tsconfig.test.json', diagnostics: false }],
  },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  collectCoverageFrom: ['src/**/*.ts', '!src/**/*.d.ts'],
  coverageDirectory: 'reports/coverage',
  coverageReporters: ['text-summary', 'json', 'json-summary'],
};
