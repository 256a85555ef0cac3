import base from '../../jest.config.base.mjs';

// Real sockets, TLS and child processes: on a busy machine 5 s are not enough.
export default { ...base, testTimeout: 30_000 };
