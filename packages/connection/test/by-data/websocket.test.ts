import { readByData } from './read-by-data.js';

readByData();
await import('../websocket.test.js');
