import { readByData } from './read-by-data.js';

readByData();
await import('../memory-shed.test.js');
