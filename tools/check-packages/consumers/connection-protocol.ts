import { Protocol, type Extension, type ProtocolOptions } from '@ws/connection/protocol';

const extensions: readonly Extension[] = [];
const role: ProtocolOptions['role'] = 'server';
if (typeof Protocol !== 'function' || extensions.length > 0 || role !== 'server') throw new Error('Protocol');
