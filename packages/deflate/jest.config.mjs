import base from '../../jest.config.base.mjs';

export default { ...base, collectCoverage: true, coverageThreshold: { global: { branches: 95 } } };
