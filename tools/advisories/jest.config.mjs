import base from '../../jest.config.base.mjs';

// Each test has a process of its own to hurt, and many have been started by others at the same time.
export default { ...base, testTimeout: 60_000 };
