import { readByData } from './read-by-data.js';

readByData();
await import('../socket-duplex.test.js');
