import { describe, expect, test } from '@jest/globals';
import { encodeFrame, Opcode } from '@ws/frame';
import { hex } from '@ws/testing';
import { Core, corePair, joined, masked } from './core.js';

describe('the closing handshake, RFC 6455 §7.1', () => {
  test.each([
    { args: [] as [number?, string?], wire: hex`88 00`, code: 1005, reason: '' },
    { args: [1000] as [number?, string?], wire: hex`88 02 03e8`, code: 1000, reason: '' },
    { args: [4001, 'späť'] as [number?, string?], wire: hex`88 08 0fa1 7370c3a4c5a5`, code: 4001, reason: 'späť' },
  ])('server closes with $code $reason', ({ args, wire, code, reason }) => {
    const { client, server, settle } = corePair();
    server.protocol.close(args[0], args[1]);
    expect(server.protocol.state).toBe('closeSent');
    expect(server.outgoing).toEqual([wire]);
    expect(server.isEnded).toBe(false);
    settle();
    expect(client.happened).toEqual([['closing', code, reason, 'remote']]);
    expect(server.happened).toEqual([['closing', code, reason, 'local']]);
    for (const { protocol } of [client, server]) {
      expect(protocol.state).toBe('closeDone');
      expect([protocol.closing.sent, protocol.closing.received]).toEqual([
        { code, reason },
        { code, reason },
      ]);
    }
    // §7.1.1: the server ends TCP, the client waits for it
    expect([server.isEnded, client.isEnded]).toEqual([true, false]);
    expect([server.protocol.closing.initiator, client.protocol.closing.initiator]).toEqual(['local', 'remote']);
  });

  test('client closes: the server still ends TCP first', () => {
    const { client, server, settle } = corePair();
    client.protocol.close(1001);
    settle();
    expect([server.isEnded, client.isEnded]).toEqual([true, false]);
    expect([server.protocol.state, client.protocol.state]).toEqual(['closeDone', 'closeDone']);
  });

  test('both close at once: each reports its own, neither answers twice', () => {
    const { client, server, settle } = corePair();
    client.protocol.close(4000);
    server.protocol.close(4001);
    settle();
    expect(client.happened).toEqual([['closing', 4000, '', 'local']]);
    expect(server.happened).toEqual([['closing', 4001, '', 'local']]);
    expect(client.protocol.closing.received).toEqual({ code: 4001, reason: '' });
    expect(server.protocol.closing.received).toEqual({ code: 4000, reason: '' });
    expect(server.isEnded).toBe(true);
  });

  test('messages still come between our Close frame and theirs, none after theirs', () => {
    const core = new Core();
    core.protocol.close();
    core.protocol.receive(
      joined(masked(Opcode.Text, 'late'), masked(Opcode.Close, hex`03e8`), masked(Opcode.Text, 'too late')),
    );
    core.protocol.receive(masked(Opcode.Text, 'much too late'));
    expect(core.happened.map(([name, value]) => [name, value])).toEqual([
      ['closing', 1005],
      ['message', 'late'],
    ]);
  });

  test('nothing is sent after our Close frame: callbacks get an error, once', () => {
    const core = new Core();
    core.protocol.close();
    core.take();
    const errors: unknown[] = [];
    core.protocol.send('x', true, true, undefined, (error) => errors.push(error));
    core.protocol.ping('x', (error) => errors.push(error));
    expect(core.outgoing).toEqual([]);
    expect(errors).toEqual([expect.any(Error), expect.any(Error)]);
  });

  test('a ping behind our Close frame gets no pong', () => {
    const core = new Core();
    core.protocol.close();
    core.take();
    core.protocol.receive(masked(Opcode.Ping, 'p'));
    expect(core.outgoing).toEqual([]);
    expect(core.happened.at(-1)).toEqual(['ping', 'p']);
  });

  test.each([
    [999, '', RangeError],
    [1005, '', RangeError],
    [1006, '', RangeError],
    [1015, '', RangeError],
    [5000, '', RangeError],
    [1.5, '', RangeError],
    ['1000' as never, '', TypeError],
    [1000, 'x'.repeat(124), RangeError],
    [undefined, 'a reason without a code', TypeError],
  ])('B-44 close(%p, …) throws before anything is done', (code, reason, kind) => {
    const core = new Core();
    expect(() => core.protocol.close(code, reason)).toThrow(kind);
    expect([core.protocol.state, core.outgoing.length, core.protocol.nextDeadline()]).toEqual(['open', 0, undefined]);
  });

  test('close twice is close once', () => {
    const core = new Core();
    core.protocol.close(1000);
    core.protocol.close(1001);
    expect(core.take()).toHaveLength(1);
  });
});

describe('deadlines are values', () => {
  test('no answer to our Close frame: cut after the close timeout, not before', () => {
    const core = new Core({ closeTimeoutMs: 500 });
    expect(core.protocol.nextDeadline()).toBeUndefined();
    core.clock.advance(1000);
    core.protocol.close();
    expect(core.protocol.nextDeadline()).toBe(1500);
    core.protocol.handleTimeout(1499);
    expect(core.isDestroyed).toBe(false);
    core.protocol.handleTimeout(1500);
    expect(core.isDestroyed).toBe(true);
    core.protocol.transportEnd();
    expect(core.protocol.closing.initiator).toBe('timeout');
    expect(core.protocol.nextDeadline()).toBeUndefined();
  });

  test('a peer that answers but never ends TCP is cut too; that is still a clean close', () => {
    const { client, settle } = corePair({ client: { closeTimeoutMs: 100 } });
    client.protocol.close(1000);
    settle();
    client.protocol.handleTimeout(100);
    expect([client.isDestroyed, client.protocol.closing.initiator]).toEqual([true, 'local']);
  });

  test.each([undefined, true, false])('a client with waitForTcpClose %p: who ends TCP', (waitForTcpClose) => {
    const { client, server, settle } = corePair({ client: { waitForTcpClose } });
    client.protocol.close(1000);
    expect(client.isEnded).toBe(false); // not before the server's Close frame
    settle();
    expect([server.isEnded, client.isEnded]).toEqual([true, waitForTcpClose === false]);
  });

  test.each([undefined, false])('the same where the server begins, with %p', (waitForTcpClose) => {
    const { client, server, settle } = corePair({ client: { waitForTcpClose } });
    server.protocol.close(1000);
    settle();
    expect([server.isEnded, client.isEnded]).toEqual([true, waitForTcpClose === false]);
  });

  test('after a fault', () => {
    const core = new Core({ closeTimeoutMs: 100 });
    core.protocol.receive(hex`ff`);
    expect(core.protocol.nextDeadline()).toBe(100);
    core.protocol.handleTimeout(100);
    expect([core.isDestroyed, core.protocol.closing.initiator]).toEqual([true, 'protocol']);
  });

  test('Infinity waits for ever', () => {
    const core = new Core({ closeTimeoutMs: Infinity });
    core.protocol.close();
    expect(core.protocol.nextDeadline()).toBeUndefined();
    core.protocol.handleTimeout(1e15);
    expect(core.isDestroyed).toBe(false);
  });

  test('nothing happens to a connection that is gone', () => {
    const core = new Core();
    core.protocol.close();
    core.protocol.transportEnd();
    core.protocol.transportEnd();
    core.protocol.handleTimeout(1e9);
    expect([core.isDestroyed, core.protocol.state]).toEqual([false, 'closed']);
  });
});

describe('failing the connection, §7.1.7', () => {
  test('one Close frame with the code, then the end; what follows is dropped', () => {
    const core = new Core();
    core.protocol.receive(joined(masked(Opcode.Text, 'ok'), hex`83 80 00000000`, masked(Opcode.Text, 'no')));
    core.protocol.receive(masked(Opcode.Text, 'no'));
    expect(core.happened).toEqual([
      ['message', 'ok'],
      ['closing', 1002, expect.any(String), 'local'],
      ['failure', 'WS_ERR_INVALID_OPCODE'],
    ]);
    expect(core.outgoing).toHaveLength(1);
    expect(core.outgoing[0]?.subarray(0, 1)).toEqual(hex`88`);
    expect(core.outgoing[0]?.subarray(2, 4)).toEqual(hex`03ea`);
    expect(core.isEnded).toBe(true);
    expect(core.protocol.closing.error).toMatchObject({ code: 'WS_ERR_INVALID_OPCODE', closeCode: 1002 });
  });

  test('after our Close frame a fault sends no second one', () => {
    const core = new Core();
    core.protocol.close(1000);
    core.take();
    core.protocol.receive(hex`ff`);
    expect(core.outgoing).toEqual([]);
    expect([core.isEnded, core.protocol.state]).toEqual([true, 'failed']);
    expect(core.happened.map(([name]) => name)).toEqual(['closing', 'failure']);
  });

  test('a fault that is no coded error is our bug: 1011', () => {
    const core = new Core();
    core.protocol.fail(new Error('bug') as never);
    expect(core.outgoing).toEqual([hex`88 02 03f3`]);
  });

  test.each([
    ['one byte of body', '03', 1002],
    ['a code that may not travel', '03ed', 1002],
    ['a reason that is not UTF-8', '03e8 ff', 1007],
  ])('a Close frame with %s', (_what, body, code) => {
    const core = new Core();
    core.protocol.receive(masked(Opcode.Close, hex`${body}`));
    expect(core.outgoing[0]?.subarray(2, 4)).toEqual(hex`${code.toString(16).padStart(4, '0')}`);
    expect(core.protocol.state).toBe('failed');
  });

  test('as a client: masked frames from the server', () => {
    const core = new Core({ role: 'client' });
    core.protocol.receive(encodeFrame({ opcode: Opcode.Text, maskingKey: 1 }, hex`61`));
    expect(core.happened.at(-1)).toEqual(['failure', 'WS_ERR_UNEXPECTED_MASK']);
  });
});

describe('pings', () => {
  test('are answered with their bytes, before the event', () => {
    const order: string[] = [];
    const core: Core = new Core({ onEvent: (name) => order.push(`${name} after ${core.outgoing.length}`) });
    core.protocol.receive(masked(Opcode.Ping, hex`ff00fe`));
    expect(core.outgoing).toEqual([hex`8a 03 ff00fe`]);
    expect(order).toEqual(['ping after 1']);
  });

  test('are not answered without autoPong', () => {
    const core = new Core({ autoPong: false });
    core.protocol.receive(masked(Opcode.Ping, 'a'));
    expect(core.outgoing).toEqual([]);
  });

  test('a flood while we cannot send is answered with the newest alone, once there is room', () => {
    const core = new Core();
    core.isCongested = true;
    for (let i = 0; i < 100; i++) core.protocol.receive(masked(Opcode.Ping, String(i)));
    expect(core.outgoing).toEqual([]);
    core.isCongested = false;
    core.protocol.drained();
    core.protocol.drained();
    expect(core.outgoing).toEqual([hex`8a 02 ${Buffer.from('99')}`]);
  });

  test('a held answer does not outlive the connection', () => {
    const core = new Core();
    core.isCongested = true;
    core.protocol.receive(masked(Opcode.Ping, 'a'));
    core.protocol.close();
    core.take();
    core.protocol.drained();
    expect(core.outgoing).toEqual([]);
  });

  test('a pong comes as an event, and a control frame in pieces too', () => {
    const core = new Core();
    for (const byte of masked(Opcode.Pong, 'hello')) core.protocol.receive(Uint8Array.of(byte));
    expect(core.happened).toEqual([['pong', 'hello']]);
  });
});
