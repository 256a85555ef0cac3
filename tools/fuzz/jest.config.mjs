import base from '../../jest.config.base.mjs';

export default { ...base, testTimeout: 120_000 };
