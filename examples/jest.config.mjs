import base from '../jest.config.tools.mjs';

export default base;
