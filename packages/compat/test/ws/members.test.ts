import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { prove } from '../rows.js';
import { members } from '../rows/ws.js';
import { closed, differs, same, settled, type Socket, type World } from './differential.js';

prove(members, {
  'WS8-095': {
    listeners: same(async (world) => {
      const { client, socket } = await world.pair();
      const listener = (name: string) => (event: unknown) => log(world, name, event);
      const twice = listener('twice');
      client.addEventListener('message', twice);
      client.addEventListener('message', twice);
      client.addEventListener('message', listener('once'), { once: true });
      client.addEventListener('message', { handleEvent: listener('object') });
      client.addEventListener('close', listener('close'));
      client.addEventListener('nothing' as never, twice);
      world.log(client.listenerCount('message'), client.listenerCount('nothing'));
      socket.send('text');
      socket.send(Buffer.from('bytes'));
      await settled(socket);
      socket.close(4000, 'bye');
      await closed(client);
    }),
    'what an event is, and that who logs it does not log the socket': same(async (world) => {
      const { client, socket } = await world.pair();
      Object.assign(client, { user: { socket: client } }); // JSON.stringify(client) throws
      const show = (event: object): void =>
        world.log(
          event.constructor.name,
          'target' in event,
          Object.keys(event).includes('target'),
          typeof JSON.stringify(event),
        );
      for (const type of ['message', 'error', 'close'] as const) client.addEventListener(type, show);
      socket.send('text');
      await once(client, 'message');
      client.emit('error', new Error('of the program'));
      client.close();
      await closed(client);
    }),
  },
  'WS8-096': same(async (world) => {
    const { client, socket } = await world.pair();
    world.log(client.binaryType);
    for (const type of ['arraybuffer', 'fragments', 'blob', 'nodebuffer', 'nonsense']) {
      client.binaryType = type as 'nodebuffer';
      world.log(client.binaryType);
      for (const data of [Buffer.from('bytes'), 'text']) {
        socket.send(data);
        const [got, isBinary] = (await once(client, 'message')) as [unknown, boolean];
        const isBlob = Object.prototype.toString.call(got) === '[object Blob]';
        world.log(isBlob ? ['Blob', await (got as Blob).text()] : got, isBinary);
      }
    }
  }),
  'WS8-097': {
    'nothing waits': same(async (world) => {
      const { client, socket } = await world.pair();
      world.log(client.bufferedAmount, socket.bufferedAmount);
      client.send('x');
      await settled(client);
      world.log(client.bufferedAmount);
    }),
    'what comes too late counts': same(async (world) => {
      const { client } = await world.pair();
      client.close();
      await closed(client);
      client.send('abc');
      client.send('de');
      world.log(client.bufferedAmount);
    }),
    'right behind send': differs('client', { was: [0], is: [true] }, async (world) => {
      const { client } = await world.pair();
      client.send('abc');
      world.log(client.bufferedAmount && client.bufferedAmount > 0);
    }),
  },
  'WS8-098': {
    'codes and reasons that are none': same(async (world) => {
      const { client } = await world.pair();
      const wrong: unknown[][] = [[999], [1004], [1005], [1006], [1015], [5000], ['x'], [1000, 'x'.repeat(124)]];
      for (const way of wrong) {
        try {
          (client.close as (...args: unknown[]) => void)(...way);
          world.log('fine');
        } catch (error) {
          world.log(error instanceof Error, client.readyState);
        }
      }
      client.close(1000, 'x'.repeat(123));
      world.log(client.readyState);
    }),
    'what was sent before is delivered': same(async (world) => {
      const { client, socket } = await world.pair();
      world.events('server', socket, 'message', 'close');
      client.send('a');
      client.send(Buffer.alloc(100_000, 'b').subarray(0, 3));
      client.close(1000);
      client.send('late', (error) => world.log('callback', error?.message));
      await closed(socket);
    }),
    'at both ends at once': same(async (world) => {
      const { client, socket } = await world.pair();
      client.close(4001);
      socket.close(4002);
      const [[mine], [theirs]] = await Promise.all([once(client, 'close'), once(socket, 'close')]);
      world.log(mine, theirs);
    }),
  },
  'WS8-099': same(async (world) => {
    const plain = await world.pair();
    world.log(plain.client.extensions, plain.socket.extensions);
    const deflating = await world.pair({ perMessageDeflate: true });
    world.log(deflating.client.extensions, deflating.socket.extensions);
  }),
  'WS8-100': same(async (world) => {
    const { client } = await world.pair();
    world.log(client.isPaused);
    client.pause();
    world.log(client.isPaused);
    client.resume();
    world.log(client.isPaused);
    client.terminate();
    await closed(client);
    client.pause();
    world.log(client.isPaused);
  }),
  'WS8-101': same(attribute('close')),
  'WS8-102': same(attribute('error')),
  'WS8-103': same(attribute('message')),
  'WS8-104': same(attribute('open')),
  'WS8-105': same(async (world) => {
    const { client, socket } = await world.pair();
    world.events('client', client, 'message');
    client.pause();
    socket.send('one');
    for (let i = 0; i < 3; i++) {
      client.send('it may still send'); // by then what was sent to it has come
      await once(socket, 'message');
    }
    world.log('resumes');
    client.resume();
    await once(client, 'message');
  }),
  'WS8-106': same(control('ping')),
  'WS8-107': same(control('pong')),
  'WS8-108': same(async (world) => {
    const { url, server } = await world.serve();
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const client = world.connect(url, ['chat', 'other']);
    world.log(client.protocol);
    const [[socket]] = await Promise.all([connected, once(client, 'open')]);
    world.log(client.protocol, socket.protocol);
  }),
  'WS8-109': same(async (world) => {
    const { url } = await world.serve();
    const client = world.connect(url);
    world.log(client.readyState);
    await once(client, 'open');
    world.log(client.readyState);
    client.close();
    world.log(client.readyState, (client as Socket & { _readyState: number })._readyState);
    await once(client, 'close');
    world.log(client.readyState, (client as Socket & { _readyState: number })._readyState);
  }),
  'WS8-110': same(async (world) => {
    const { client, socket } = await world.pair();
    const listener = (): void => world.log('never');
    const object = { handleEvent: listener };
    client.addEventListener('message', listener);
    client.addEventListener('message', object);
    client.removeEventListener('message', listener);
    client.removeEventListener('message', object);
    client.onmessage = () => world.log('attribute');
    client.removeEventListener('message', client.onmessage);
    world.log(client.listenerCount('message'));
    socket.send('x');
    await settled(socket);
  }),
  'WS8-111': same(async (world) => {
    const { client, socket } = await world.pair();
    client.resume();
    world.log(client.isPaused);
    client.pause();
    client.pause();
    world.events('client', client, 'message', 'ping', 'close');
    socket.send('one');
    socket.ping('two');
    socket.send('three');
    socket.close(4000, 'bye');
    client.resume();
    world.log(client.isPaused);
    await closed(client);
  }),
  'WS8-112': {
    'whatever can be sent': same(async (world) => {
      const { client, socket } = await world.pair();
      world.events('server', socket, 'message');
      const bytes = Buffer.from('abcd');
      const view = new Uint8Array(bytes);
      const all = [
        'text',
        5,
        true,
        bytes,
        view,
        view.buffer,
        new Uint16Array(view.buffer),
        new DataView(view.buffer),
        [97, 98],
        '',
        new Date(0),
      ];
      for (const data of all)
        world.attempt(() => {
          client.send(data as never);
        });
      for (const data of [null, undefined, {}, { a: 1 }])
        world.attempt(() => {
          client.send(data as never);
        });
      await settled(client);
    }),
    'a Blob, in its place': same(async (world) => {
      const { client, socket } = await world.pair();
      world.events('server', socket, 'message');
      client.send('before');
      client.send(new Blob(['blob']) as never);
      client.send('behind');
      while (world.seen.length < 3) await once(socket, 'message');
    }),
    'options and callbacks': same(async (world) => {
      const { client, socket } = await world.pair();
      world.events('server', socket, 'message');
      client.send('binary', { binary: true });
      client.send(Buffer.from('text'), { binary: false });
      client.send('masked', { mask: true, compress: true }, (error) => {
        if (error) world.log('fails');
      });
      await new Promise<void>((resolve, reject) => client.send('last', (error) => (error ? reject(error) : resolve())));
      await settled(client);
    }),
    'too early, and too late': same(async (world) => {
      const { url } = await world.serve();
      const client = world.connect(url);
      try {
        client.send('x');
      } catch (error) {
        world.log((error as Error).message);
      }
      await once(client, 'open');
      client.close();
      client.send('x', (error) => world.log(error?.message));
      await closed(client);
      client.send('x', (error) => world.log(error?.message));
      await new Promise((resolve) => setImmediate(resolve));
    }),
  },
  'WS8-113': same(async (world) => {
    const { client, socket } = await world.pair();
    const gone = once(socket, 'close');
    client.terminate();
    world.log(client.readyState);
    await closed(client);
    world.log(client.readyState, (await gone)[0]);
    client.terminate();
    client.close();
  }),
  'WS8-114': same(async (world) => {
    const { url, client, socket } = await world.pair();
    world.log(client.url === `${url}/`, socket.url || 'none');
  }),
  'WS8-120': {
    'what is read and written': same(async (world) => {
      const { client, socket } = await world.pair();
      socket.on('message', (data) => socket.send(data as Buffer));
      const duplex = world.client.createWebSocketStream(client, { encoding: 'utf8' });
      duplex.write('hello');
      world.log((await once(duplex, 'data'))[0]);
      duplex.end();
      duplex.resume();
      await once(duplex, 'close');
      world.log(client.readyState);
    }),
    'while it connects': same(async (world) => {
      const { url, server } = await world.serve();
      server.on('connection', (socket) => world.events('server', socket, 'message'));
      const client = world.connect(url);
      const duplex = world.client.createWebSocketStream(client);
      await pipeline(Readable.from(['a', Buffer.from('b')]), duplex.resume());
      await closed(client);
    }),
  },
});

function attribute(type: 'close' | 'error' | 'message' | 'open') {
  const name = `on${type}` as 'onclose';
  return async (world: World): Promise<void> => {
    const { url, server } = await world.serve({ verifyClient: () => type !== 'error' });
    server.on('connection', (socket) => socket.send('hello', () => socket.close(4000, 'bye')));
    const client = world.connect(url);
    world.log(client[name]);
    client.on(type, () => world.log('another listener'));
    client[name] = () => world.log('never');
    client[name] = (event: unknown) => log(world, name, event);
    world.log(typeof client[name], client.listenerCount(type));
    await closed(client);
    client[name] = null;
    world.log(client[name]);
    client[name] = 5 as never;
    world.log(client[name]);
  };
}

function log(world: World, name: string, event: unknown): void {
  const { type, target, data, code, reason, wasClean, message, error } = event as Record<string, unknown>;
  world.log(name, type, target, data, code, reason, wasClean, message, error === undefined);
}

function control(type: 'ping' | 'pong') {
  return async (world: World): Promise<void> => {
    const { client, socket } = await world.pair({ autoPong: false });
    world.events('server', socket, type);
    client[type]();
    client[type]('x');
    client[type](Buffer.from('y'), true);
    for (const data of ['x'.repeat(126), {}]) world.attempt(() => client[type](data));
    await new Promise<void>((resolve) => client[type]('z', undefined, () => resolve()));
    client.send('end');
    await once(socket, 'message');
    client.close();
    client[type]('late', undefined, (error) => world.log('callback', error?.message));
    await closed(client);
    const early = world.connect('ws://127.0.0.1:1');
    try {
      early[type]();
    } catch (error) {
      world.log((error as Error).message);
    }
  };
}
