import { hasFastPath, zlibBackend, type PerMessageDeflateOptions } from '@ws/deflate/node';

const options: PerMessageDeflateOptions = { threshold: 0, serverMaxWindowBits: 9, zlibDeflateOptions: { level: 6 } };
const compressed = zlibBackend(options).deflateSync(new Uint8Array(1000), 15);
if (compressed === undefined || compressed.length > 100) throw new Error('deflateSync');
if (typeof hasFastPath() !== 'boolean') throw new Error('hasFastPath');
