import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  answer,
  connect,
  enter,
  letIn,
  MINUTE,
  online,
  pass,
  refusal,
  SECOND,
  settle,
  welcome,
  whileServer,
} from './connectorPage';
import { FakePc, FakeSocket, forgetBrowser, network, pretendBrowser } from './fakes';

beforeEach(pretendBrowser);
afterEach(forgetBrowser);

describe('media that does not flow', () => {
  test('ICE is restarted first, then the PeerConnection is a new one, slower and slower', async () => {
    const page = enter();
    await letIn();
    let answered = 0;
    for (let time = 0; time < 10 * MINUTE; time += 100) {
      if (FakeSocket.last.offers.length > answered) {
        answered += 1;
        FakeSocket.last.says(answer);
      }
      if (time % 5000 === 0) FakeSocket.last.says({ type: 'ping', n: 1 });
      await pass(100);
    }
    expect(FakePc.all[0]?.offers).toEqual(['fresh', 'restart']);
    expect(FakePc.all.slice(1).every(({ offers }) => offers.join() === 'fresh')).toBe(true);
    expect(FakePc.all.length).toBeGreaterThan(8);
    expect(FakePc.all.length).toBeLessThan(16);
    expect(page.now).toMatchObject({ kind: 'connecting', trouble: 'no_media' });
    expect(FakeSocket.all).toHaveLength(1);
  });

  test('a short gap is told to nobody, and another way is looked for all the same', async () => {
    const page = await online();
    FakeSocket.answersPings = true;
    FakePc.last.becomes('disconnected');
    await pass(2 * SECOND);
    expect(FakePc.last.offers).toEqual(['fresh', 'restart']);
    FakePc.last.becomes('connected');
    FakeSocket.last.says(answer);
    await pass(8 * SECOND);
    expect(page.progress.filter(({ kind }) => kind !== 'online')).toHaveLength(1);
    expect(FakeSocket.last.sentOf('ping')).toHaveLength(1);
    expect([FakePc.all.length, FakeSocket.all.length]).toEqual([1, 1]);
  });

  test('a longer one is told, and healed by the restart that has long begun', async () => {
    const page = await online();
    FakeSocket.answersPings = true;
    FakePc.last.becomes('disconnected');
    await pass(2499);
    expect(page.now).toEqual({ kind: 'online' });
    await pass(1);
    expect(page.now).toEqual({ kind: 'reconnecting', attempt: 1, trouble: 'no_media' });
    expect(FakePc.last.offers).toEqual(['fresh', 'restart']);
    await connect();
    expect(page.now).toEqual({ kind: 'online' });
    expect([FakePc.all.length, FakeSocket.all.length]).toEqual([1, 1]);
  });

  test('a failed one at once', async () => {
    const page = await online();
    FakeSocket.answersPings = true;
    FakePc.last.becomes('failed');
    expect(page.attempt).toBe(1);
    await settle();
    // A failed connection is never used again.
    expect(FakePc.all).toHaveLength(2);
  });

  test('what comes and goes is repaired slower and slower', async () => {
    const page = await online();
    FakeSocket.answersPings = true;
    let answered = 1;
    for (let time = 0; time < 5 * MINUTE; time += 100) {
      if (FakeSocket.last.offers.length > answered) {
        answered += 1;
        FakeSocket.last.says(answer);
        await settle();
        FakePc.last.becomes('connected');
        FakePc.last.becomes('failed');
      }
      if (time === 0) FakePc.last.becomes('failed');
      if (time % 1000 === 0) FakeSocket.last.says({ type: 'ping', n: 1 });
      await pass(100);
    }
    expect(answered).toBeGreaterThan(20);
    expect(answered).toBeLessThan(45);
    expect(page.attempt).toBe(answered);
  });

  test('after ten good seconds a failure is the first again', async () => {
    const page = await online();
    FakeSocket.answersPings = true;
    FakePc.last.becomes('failed');
    await settle();
    await connect();
    FakePc.last.becomes('failed');
    expect(page.attempt).toBe(2);
    await pass(2 * SECOND);
    await connect();
    await pass(10 * SECOND);
    FakePc.last.becomes('failed');
    expect(page.attempt).toBe(1);
  });

  test('a meeting that goes on at another worker: a new PeerConnection on the same connection', async () => {
    await online();
    const before = FakePc.all.length;
    FakeSocket.last.says({ type: 'media_moved' });
    await settle();
    expect(FakePc.all).toHaveLength(before + 1);
    expect(FakeSocket.all).toHaveLength(1);
    expect(FakeSocket.last.offers).toHaveLength(2);
  });

  test('a server that says nothing either is given up by the probe', async () => {
    const page = await online();
    FakePc.last.becomes('disconnected');
    await pass(2500);
    FakePc.last.becomes('disconnected');
    await pass(1500);
    expect(page.now).toMatchObject({ trouble: 'lost' });
    await pass(SECOND);
    expect(FakeSocket.all).toHaveLength(2);
  });
});

describe('the connection breaks', () => {
  test('and media lives: ICE is restarted with the same seat', async () => {
    const page = await online();
    FakeSocket.last.breaks();
    await pass(SECOND);
    expect(FakeSocket.last.open().hello).toMatchObject({ seat: 'seat' });
    FakeSocket.last.says(welcome());
    await settle();
    expect(FakePc.last.offers).toEqual(['fresh', 'restart']);
    FakeSocket.last.says(answer);
    await settle();
    expect(page.now).toEqual({ kind: 'online' });
    expect(FakePc.all).toHaveLength(1);
  });

  test('and the server is another one: everything is new', async () => {
    await online();
    FakeSocket.last.breaks();
    await pass(SECOND);
    await letIn('another seat');
    expect(FakePc.all).toHaveLength(2);
    expect(FakePc.all[0]?.closed).toBe(true);
  });

  test('for ever: at most ten seconds between attempts', async () => {
    const page = await online();
    FakeSocket.last.breaks();
    await whileServer(socket => socket.breaks(), 30 * MINUTE);
    expect(page.attempt).toBe(FakeSocket.all.length);
    expect(FakeSocket.all.length).toBeGreaterThan(175);
    expect(FakeSocket.all.length).toBeLessThan(190);
  });

  test('over and over, right after each welcome: slower, too', async () => {
    await online();
    FakeSocket.last.breaks();
    await whileServer(socket => {
      socket.says(welcome());
      socket.breaks();
    }, 5 * MINUTE);
    expect(FakeSocket.all.length).toBeLessThan(40);
  });

  test('a server that drains is not asked before it said', async () => {
    const page = await online();
    FakeSocket.last.says({ type: 'draining', retry_after_ms: 8000 });
    FakeSocket.last.breaks();
    await pass(8 * SECOND);
    expect(FakeSocket.all).toHaveLength(1);
    await pass(4 * SECOND);
    expect(FakeSocket.all).toHaveLength(2);
    expect(page.messages.map(({ type }) => type)).toContain('draining');
  });

  test('a server that drains and refuses is asked again soon', async () => {
    const page = enter();
    await whileServer(socket => socket.says(refusal('draining')), 30 * SECOND);
    expect(page.now).toMatchObject({ trouble: 'draining' });
    await whileServer(socket => socket.says(welcome()), 11 * SECOND);
    expect(FakeSocket.last.offers).toHaveLength(1);
  });
});

describe('the network of this machine comes', () => {
  const comes = () => network.dispatchEvent(new Event('online'));

  test('while the call is healthy: nothing is torn down, however often', async () => {
    const page = await online();
    for (let time = 0; time < 10; time += 1) {
      comes();
      FakeSocket.last.says({ type: 'pong', n: time });
      await pass(SECOND);
    }
    expect(page.now).toEqual({ kind: 'online' });
    expect(FakePc.last.offers).toEqual(['fresh']);
    expect(FakeSocket.all).toHaveLength(1);
  });

  test('and the server is not there any more: the probe finds out', async () => {
    const page = await online();
    for (let time = 0; time < 4; time += 1) {
      comes();
      await pass(SECOND);
    }
    expect(page.now).toMatchObject({ kind: 'reconnecting', trouble: 'lost' });
  });

  test('while one waits for the next attempt: it is now', async () => {
    await online();
    FakeSocket.last.breaks();
    await whileServer(socket => socket.breaks(), MINUTE);
    const before = FakeSocket.all.length;
    comes();
    expect(FakeSocket.all).toHaveLength(before + 1);
    comes();
    expect(FakeSocket.all).toHaveLength(before + 1);
    await pass(6 * SECOND);
    comes();
    expect(FakeSocket.all).toHaveLength(before + 2);
  });

  test('while media stands still: it is repaired now', async () => {
    await online();
    FakePc.last.connectionState = 'disconnected';
    comes();
    await settle();
    expect(FakePc.last.offers).toEqual(['fresh', 'restart']);
  });
});

test('a seat taken over, or a farewell of any kind, is the end', async () => {
  for (const reason of ['taken_over', 'removed', 'ended'] as const) {
    const page = await online();
    FakeSocket.last.says({ type: 'goodbye', reason });
    FakeSocket.last.breaks();
    const before = FakeSocket.all.length;
    await pass(10 * MINUTE);
    expect(FakeSocket.all).toHaveLength(before);
    expect(FakePc.last.closed).toBe(true);
    expect(page.messages.at(-1)).toEqual({ type: 'goodbye', reason });
  }
});

test('whoever leaves during anything is left alone', async () => {
  const page = enter();
  await letIn();
  page.connector.stop();
  FakeSocket.last.says(answer);
  FakePc.last.becomes('connected');
  network.dispatchEvent(new Event('online'));
  await pass(10 * MINUTE);
  expect([FakeSocket.all.length, FakePc.all.length]).toEqual([1, 1]);
  expect(page.progress).toHaveLength(1);
});
