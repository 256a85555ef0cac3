import { readByData } from './read-by-data.js';

readByData();
await import('../incoming-flow.test.js');
