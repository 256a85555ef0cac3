import { readByData } from './read-by-data.js';

readByData();
await import('../memory.test.js');
