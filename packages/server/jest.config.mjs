import base from '../../jest.config.base.mjs';

// Real peers and child processes, on machines that may be busy.
export default { ...base, testTimeout: 20_000 };
