import { readByData } from './read-by-data.js';

readByData();
await import('../message-iterator.test.js');
