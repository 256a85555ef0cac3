// mqtt.js as client, aedes as broker on `createWebSocketStream`: each quality of service, retained, a will, refusal, coming back.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { closeOf, deferred, listen, stop } from './parts.mjs';

export const users = [['mqtt']];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs, esm }) {
  const { default: mqtt } = await esm('mqtt');
  const { Aedes } = await esm('aedes');
  const { WebSocketServer, createWebSocketStream } = cjs('ws');
  const broker = await Aedes.createBroker({
    authenticate: (
      /** @type {any} */ _client,
      /** @type {string} */ user,
      /** @type {Buffer} */ password,
      /** @type {any} */ done,
    ) =>
      user === 'ann' && String(password) !== 'secret'
        ? done(Object.assign(new Error('no'), { returnCode: 4 }), false)
        : done(null, true),
  });
  const http = createServer();
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: true,
    verifyClient: (/** @type {any} */ { req }) => req.headers['x-banned'] === undefined,
  });
  const protocols = new Set();
  server.on('connection', (/** @type {any} */ socket, /** @type {any} */ request) => {
    protocols.add(socket.protocol);
    broker.handle(createWebSocketStream(socket), request);
  });
  const url = `ws://127.0.0.1:${await listen(http)}`;
  const connect = async (/** @type {string} */ clientId, /** @type {object} */ options = {}) => {
    const client = mqtt.connect(url, { clientId, reconnectPeriod: 1, ...options });
    await once(client, 'connect');
    return client;
  };

  const reader = await connect('reader');
  const writer = await connect('writer', {
    will: { topic: 'status/writer', payload: Buffer.from('gone'), qos: 1, retain: false },
  });
  const heard = /** @type {string[]} */ ([]);
  let expected = 0;
  let all = deferred();
  reader.on(
    'message',
    (/** @type {string} */ topic, /** @type {Buffer} */ payload, /** @type {any} */ { qos, retain }) => {
      heard.push(`${topic} ${payload.length > 30 ? payload.length : String(payload)} ${qos} ${retain}`);
      if (heard.length === expected) all.resolve();
    },
  );
  const waitFor = async (/** @type {number} */ more) => {
    all = deferred();
    expected = heard.length + more;
    await all.promise;
  };
  const granted = await reader.subscribeAsync({ 'news/#': { qos: 2 }, 'status/+': { qos: 1 } });

  const four = waitFor(5);
  await writer.publishAsync('news/0', 'at most once', { qos: 0 });
  await writer.publishAsync('news/1', 'at least once', { qos: 1 });
  await writer.publishAsync('news/2', 'exactly once', { qos: 2 });
  await writer.publishAsync('news/long', Buffer.alloc(500_000, 'mqtt'), { qos: 1 });
  await writer.publishAsync('news/empty', '', { qos: 1 });
  await four;

  const retained = waitFor(2);
  await writer.publishAsync('kept/1', 'for who comes later', { qos: 1, retain: true });
  await reader.subscribeAsync('kept/#', { qos: 1 });
  await writer.publishAsync('news/last', 'of the retained', { qos: 1 });
  await retained;

  // A broker that refuses drops the connection; a server that refuses says so.
  const password = mqtt.connect(url, { username: 'ann', password: 'guess', reconnectPeriod: 0 });
  let wasIn = false;
  password.once('connect', () => (wasIn = true)).on('error', () => undefined);
  await new Promise((resolve) => password.once('close', resolve));
  password.end(true);
  const stranger = mqtt.connect(url, { reconnectPeriod: 0, wsOptions: { headers: { 'x-banned': 'yes' } } });
  const [refusal] = await once(stranger.stream, 'error');
  stranger.end(true);

  // A connection that breaks: the broker publishes the will, and the client comes back with its subscriptions.
  const will = waitFor(1);
  const writerBack = once(writer, 'connect');
  writer.stream.destroy();
  await will;
  await writerBack;
  const subscribedAgain = waitFor(1); // to what is retained
  const back = [reader, writer].map((client) => once(client, 'connect'));
  for (const socket of server.clients) socket.terminate();
  await Promise.all([...back, subscribedAgain]);
  const again = waitFor(1);
  await writer.publishAsync('news/again', 'subscribed as before', { qos: 1 });
  await again;

  const ends = Promise.all([...server.clients].map(closeOf));
  await Promise.all([reader.endAsync(), writer.endAsync()]);
  const ended = (await ends).toSorted();
  const wrongServer = mqtt.connect(url.replace(/\d+$/, '9'), { reconnectPeriod: 0 });
  const [unreachable] = await once(wrongServer, 'error');
  wrongServer.end(true);
  await new Promise((resolve) => broker.close(resolve));
  await new Promise((resolve) => server.close(resolve));
  await stop(http);
  return {
    granted: granted.map((/** @type {any} */ { topic, qos }) => `${topic} ${qos}`),
    heard,
    protocols: [...protocols],
    wasIn,
    refusal: refusal.message,
    unreachable: unreachable.code,
    ended,
  };
}

export const expected = {
  granted: ['news/# 2', 'status/+ 1'],
  heard: [
    'news/0 at most once 0 false',
    'news/1 at least once 1 false',
    'news/2 exactly once 2 false',
    'news/long 500000 1 false',
    'news/empty  1 false',
    'kept/1 for who comes later 1 true',
    'news/last of the retained 1 false',
    'status/writer gone 1 false',
    'kept/1 for who comes later 1 true',
    'news/again subscribed as before 1 false',
  ],
  protocols: ['mqtt'],
  wasIn: false,
  refusal: 'Unexpected server response: 401',
  unreachable: 'ECONNREFUSED',
  ended: ['1005', '1005'],
};
