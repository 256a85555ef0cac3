import { readByData } from './read-by-data.js';

readByData();
await import('../robust.test.js');
