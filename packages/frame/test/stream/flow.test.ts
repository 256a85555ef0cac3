import { describe, expect, test } from '@jest/globals';
import { hex } from '@ws/testing';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { duplexPair, PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FrameDuplex } from '../../src/stream/index.js';
import { bench, closed, pair, record, settled } from './record.js';

const MIB = 1024 * 1024;

/** `count` chunks of 64 KiB, each of its own content. */
function* chunks(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(0x10000, i);
}

/** Takes bytes, and keeps their hash. */
class Sink extends Writable {
  readonly hash = createHash('sha256');
  byteLength = 0;
  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.byteLength += chunk.length;
    this.hash.update(chunk);
    setImmediate(callback);
  }
}

const hashOf = (data: Iterable<Buffer>): string => {
  const hash = createHash('sha256');
  for (const chunk of data) hash.update(chunk);
  return hash.digest('hex');
};

/** Both ends of a TCP connection on the loopback interface. */
async function tcp(): Promise<[Socket, Socket]> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [server] = (await once(listener, 'connection')) as [Socket];
  listener.close();
  return [server, client];
}

describe('back-pressure', () => {
  test('a reader that stops makes the peer stop', async () => {
    const { duplex, peer } = bench();
    let written = 0;
    const frame = Buffer.concat([hex`82 7e 4000`, Buffer.alloc(0x4000)]);
    while (written < 100 && peer.write(frame)) {
      written++;
      await settled();
    }
    // 64 KiB wait here, 16 KiB in each half of the pair.
    expect(written).toBeLessThan(10);
    expect(duplex.readableLength).toBeLessThan(0x10000 + 0x4000);
    const drained = once(peer, 'drain');
    duplex.resume();
    await drained;
    duplex.destroy();
  });

  test('many small frames that nobody reads are charged with what it takes to keep them', async () => {
    const { duplex, peer } = bench();
    let written = 0;
    while (written < 100 && peer.write(Buffer.from('820161'.repeat(1000), 'hex'))) {
      written++;
      await settled();
    }
    expect(written).toBeLessThan(20);
    expect(duplex.readableLength).toBeLessThan(600);
    let read = 0;
    duplex.on('data', (chunk: Buffer) => (read += chunk.length));
    peer.end();
    await closed(duplex);
    expect(read).toBe(1000 * (written + 1));
  });

  test('a peer that stops makes the writer stop', async () => {
    const [source, peer] = pair();
    const duplex = new FrameDuplex(source, { highWaterMark: 0x8000 });
    let written = 0;
    while (written < 1000 && duplex.write(Buffer.alloc(0x1000))) {
      written++;
      await settled();
    }
    expect(written).toBeLessThan(20);
    expect(duplex.writableLength + source.writableLength).toBeLessThan(0x10000);
    const drained = once(duplex, 'drain');
    peer.resume();
    await drained;
    expect(duplex.writableLength).toBe(0);
    duplex.destroy();
  });

  test('pings of a peer that does not read are answered with the newest pong', async () => {
    const [source, peer] = pair();
    const duplex = new FrameDuplex(source, { role: 'any' });
    while (duplex.write(Buffer.alloc(0x8000)));
    for (let i = 0; i < 50_000; i++) peer.write(hex`89 02 ${Buffer.of(i >> 8, i)}`);
    await settled();
    expect(duplex.writableLength + source.writableLength).toBeLessThan(0x40000);
    const received: Buffer[] = [];
    peer.on('data', (chunk: Buffer) => received.push(chunk));
    await settled();
    expect(Buffer.concat(received).subarray(-4).toString('hex')).toBe('8a02c34f');
    duplex.destroy();
  });
});

describe('pipeline', () => {
  test('in and out, over a pair in memory', async () => {
    const [left, right] = pair();
    const client = new FrameDuplex(left, { role: 'client' });
    const server = new FrameDuplex(right, { role: 'server' });
    const heads: number[] = [];
    server.on('head', ({ opcode }) => heads.push(opcode));
    const sink = new Sink();
    const messages = once(server, 'messageEnd');
    client.writeHead({ opcode: 2 });
    await Promise.all([pipeline(chunks(64), client), pipeline(server, sink), messages]);
    expect(sink.byteLength).toBe(4 * MIB);
    expect(sink.hash.digest('hex')).toBe(hashOf(chunks(64)));
    expect(heads).toEqual([2, ...Array.from({ length: 64 }, () => 0)]);
    server.end();
  });

  test('there and back over TCP, as one message of either side', async () => {
    const [left, right] = await tcp();
    const server = new FrameDuplex(left, { role: 'server', highWaterMark: 0x4000 });
    const client = new FrameDuplex(right, { role: 'client' });
    const sink = new Sink();
    let messages = 0;
    client.on('messageEnd', () => messages++);
    const closes = [server, client].map(async (duplex) => once(duplex, 'close'));
    await Promise.all([
      pipeline(server, server.writeHead({ opcode: 2 })),
      pipeline(chunks(64), client),
      pipeline(client, sink),
    ]);
    expect(sink.hash.digest('hex')).toBe(hashOf(chunks(64)));
    expect(messages).toBe(1);
    expect(await Promise.all(closes)).toEqual([
      [1006, ''],
      [1006, ''],
    ]);
    expect(left.destroyed && right.destroyed).toBe(true);
  });

  test('a peer that breaks the rules fails it', async () => {
    const { duplex, peer } = bench();
    peer.write(hex`82 03 61`);
    const done = pipeline(duplex, new Sink());
    peer.write(hex`6263 | 81 01 ff`);
    await expect(done).rejects.toMatchObject({ code: 'WS_ERR_INVALID_UTF8' });
  });

  test('a source of data that fails cuts the connection in the middle of the message', async () => {
    const [source, peer] = pair();
    const duplex = new FrameDuplex(source);
    const failing = Readable.from(
      (function* () {
        yield 'a';
        throw new Error('no more');
      })(),
    );
    await expect(pipeline(failing, duplex)).rejects.toThrow('no more');
    expect(source.destroyed).toBe(true);
    peer.destroy();
  });
});

describe('the closing handshake', () => {
  test('over TCP: each end hears the other, and both are gone', async () => {
    const [left, right] = await tcp();
    const server = new FrameDuplex(left, { role: 'server' });
    const client = new FrameDuplex(right, { role: 'client' });
    const heard = [record(server), record(client)];
    const ends = [closed(server), closed(client)];
    client.writeHead({ opcode: 8 }).writeEnd(hex`03e8 6f6b`);
    await Promise.all(ends);
    for (const { close, ended, error } of heard)
      expect({ close, ended, error }).toEqual({ close: [1000, 'ok'], ended: true, error: undefined });
    for (const socket of [left, right]) if (!socket.destroyed) await once(socket, 'close');
  });

  test('waits for the end of a declared frame', async () => {
    const { duplex, peer, wire } = bench();
    const heard = record(duplex);
    duplex.writeHead({ opcode: 2, length: 2 }).write('a');
    peer.write(hex`89 01 70 | 88 02 03e9`);
    await settled();
    expect(wire()).toBe('020261');
    duplex.write('b');
    await settled();
    expect(wire()).toBe('02026162880203e9');
    expect(heard.close).toEqual([1001, '']);
  });

  test('a fault while a declared frame lacks bytes cuts the source: no Close frame fits', async () => {
    const { duplex, peer, wire } = bench();
    const heard = record(duplex);
    duplex.writeHead({ opcode: 2, length: 2 }).write('a');
    const end = closed(duplex);
    peer.write(hex`83 00`);
    await end;
    expect(heard.error).toBe('WS_ERR_INVALID_OPCODE');
    expect(duplex.source.destroyed).toBe(true);
    expect(wire()).toMatch(/^(020261)?$/);
  });

  test('where our half has ended, the peer’s Close frame is the end', async () => {
    const { duplex, peer, wire } = bench();
    const heard = record(duplex);
    duplex.end('a');
    await settled();
    peer.write(hex`88 02 03e8`);
    await closed(duplex);
    expect(heard.close).toEqual([1000, '']);
    expect(wire()).toBe('810161');
  });

  test('a fault is no reason to throw where nobody listens', async () => {
    const { duplex, peer, wire } = bench();
    peer.write(hex`83 00`);
    await new Promise((resolve) => duplex.once('close', resolve));
    await settled();
    expect(wire()).toBe('880203ea');
  });

  test('a peer that does not end has closeTimeout', async () => {
    for (const wire of [hex`83 00`, hex`88 00`]) {
      const { duplex, peer } = bench({ role: 'any', closeTimeout: 5 });
      peer.write(wire);
      await once(duplex.source, 'close');
      expect(duplex.destroyed).toBe(true);
    }
    const { duplex } = bench({ role: 'any', closeTimeout: 5 });
    duplex.writeHead({ opcode: 8 }).writeEnd();
    await once(duplex, 'close');
    expect(duplex.source.destroyed).toBe(true);
  });

  test('without closeTimeout it waits for ever', async () => {
    const { duplex, peer } = bench({ role: 'any', closeTimeout: false });
    peer.write(hex`83 00`);
    await new Promise((resolve) => duplex.once('close', resolve));
    expect(duplex.source.destroyed).toBe(false);
    duplex.source.destroy();
    peer.destroy();
  });
});

describe('the source', () => {
  test('its error is ours', async () => {
    const { duplex } = bench();
    const heard = record(duplex);
    const end = closed(duplex);
    duplex.source.destroy(new Error('broken'));
    await end;
    expect(heard).toMatchObject({ error: 'broken', close: [1006, ''], ended: false });
  });

  test('its close is ours, and what waits to be written hears so', async () => {
    const [source, peer] = pair();
    const duplex = new FrameDuplex(source);
    const results: unknown[] = [];
    for (let i = 0; i < 3; i++) duplex.write(Buffer.alloc(0x10000), (error) => results.push(error));
    const heard = record(duplex);
    const end = closed(duplex);
    source.destroy();
    await end;
    await settled();
    expect(heard).toMatchObject({ error: undefined, close: [1006, ''], ended: false });
    expect(results.map((error) => error instanceof Error)).toEqual([true, true, true]);
    peer.destroy();
  });

  test('its close after its end leaves what can be read', async () => {
    const [source, peer] = duplexPair({ allowHalfOpen: true });
    const duplex = new FrameDuplex(source, { role: 'any' });
    peer.resume().end(hex`82 03 616263`);
    await once(source, 'end');
    source.destroy();
    await once(source, 'close');
    let text = '';
    for await (const chunk of duplex) text += String(chunk);
    expect(text).toBe('abc');
  });

  test('that was ended or destroyed before', async () => {
    const [ended, peer] = pair();
    peer.resume().end();
    ended.resume();
    await once(ended, 'end');
    const first = new FrameDuplex(ended);
    const heard = record(first);
    await closed(first);
    expect(heard.ended).toBe(true);

    const destroyed = new PassThrough().destroy();
    await once(destroyed, 'close');
    const second = new FrameDuplex(destroyed);
    const end = closed(second);
    await end;
    expect(second.destroyed).toBe(true);
  });

  test('that was paused is read', async () => {
    const [source, peer] = pair();
    source.pause();
    const heard = record(new FrameDuplex(source, { role: 'any' }));
    peer.write(hex`82 01 61`);
    await settled();
    expect(heard.messages).toEqual(['a']);
    source.destroy();
    peer.destroy();
  });

  test('a listener that throws is not taken for the peer’s fault', async () => {
    const { duplex, peer } = bench();
    duplex.once('head', () => {
      throw new Error('mine');
    });
    expect(() => duplex.source.emit('data', Buffer.from(hex`82 01 61`))).toThrow('mine');
    expect(duplex.destroyed).toBe(false);
    peer.destroy();
    duplex.destroy();
  });
});
