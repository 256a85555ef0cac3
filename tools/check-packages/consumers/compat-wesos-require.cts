import wesos = require('@ws/compat/wesos');

const server: wesos.Server = wesos.createServer((wsocket: wesos.Socket, wserver) => void wsocket.pipe(wserver));
if (!(server instanceof wesos.Server) || new wesos.Incoming().header !== undefined) throw new Error('require');
