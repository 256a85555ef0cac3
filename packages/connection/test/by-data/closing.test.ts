import { readByData } from './read-by-data.js';

readByData();
await import('../closing.test.js');
