import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ErrorCode, VERSION } from '../src/protocol/gen';
import {
  answer,
  connect,
  enter,
  error,
  letIn,
  MINUTE,
  online,
  type Page,
  pass,
  refusal,
  SECOND,
  settle,
  untilOpening,
  welcome,
  whileServer,
} from './connectorPage';
import { FakePc, FakeSocket, forgetBrowser, pretendBrowser } from './fakes';

beforeEach(pretendBrowser);
afterEach(forgetBrowser);

describe('the way in', () => {
  test('greets, offers once, and is online with the first media', async () => {
    const page = enter();
    expect(page.now).toEqual({ kind: 'connecting', attempt: 0, trouble: null });
    await letIn();
    expect(FakeSocket.last.hello).toEqual({
      type: 'hello',
      version: VERSION,
      token: 'bi-mat',
      takeover: false,
    });
    expect(FakeSocket.last.offers).toHaveLength(1);
    await connect();
    expect(page.progress).toHaveLength(2);
    expect(page.negotiated).toBe(1);
    await pass(10 * MINUTE - 1);
  });

  test('media that was quicker than its answer counts', async () => {
    const page = enter();
    await letIn();
    FakePc.last.connectionState = 'connected';
    FakeSocket.last.says(answer);
    await settle();
    expect(page.now).toEqual({ kind: 'online' });
  });

  test('the seat of before is named, and taken over only when asked', async () => {
    sessionStorage.setItem('nhipcau.seat.bi-mat', 'old seat');
    enter(true);
    FakeSocket.last.open();
    expect(FakeSocket.last.hello).toMatchObject({ seat: 'old seat', takeover: true });
    FakeSocket.last.says(welcome());
    FakeSocket.last.breaks();
    await pass(SECOND);
    FakeSocket.last.open();
    expect(FakeSocket.last.hello).toMatchObject({ seat: 'seat', takeover: false });
  });
});

test('a takeover that comes too soon is asked for again until it is granted', async () => {
  const page = enter(true);
  await whileServer(socket => socket.says(refusal('takeover_too_soon')), 10 * SECOND);
  expect(page.now).toMatchObject({ kind: 'connecting', trouble: 'takeover_too_soon' });
  expect(FakeSocket.all.length).toBeLessThan(10);
  await untilOpening();
  FakeSocket.last.open();
  expect(FakeSocket.last.hello).toMatchObject({ takeover: true });
  FakeSocket.last.says(welcome());
  await settle();
  expect(page.messages.at(-1)).toEqual(welcome());
});

/** Four round trips to open, one to greet, one for the answer, five for media: a satellite's. */
describe('a round trip of 2.5 s', () => {
  const TRIP = 2500;

  test('is no reason to give up a connection while it opens', async () => {
    enter();
    await pass(4 * TRIP + 15 * SECOND);
    expect(FakeSocket.all).toHaveLength(1);
    FakeSocket.last.open();
    await pass(14 * SECOND);
    expect(FakeSocket.all).toHaveLength(1);
  });

  test('one attempt leads in', async () => {
    const page = enter();
    await pass(4 * TRIP);
    FakeSocket.last.open();
    await pass(TRIP);
    FakeSocket.last.says(welcome());
    await pass(TRIP);
    FakeSocket.last.says(answer);
    await pass(5 * TRIP);
    FakePc.last.becomes('connected');
    expect(page.now).toEqual({ kind: 'online' });
    expect([FakeSocket.all.length, FakePc.all.length, FakeSocket.last.offers.length]).toEqual([1, 1, 1]);
  });

  test('a probe waits for its answer, and what was begun beside it ends with that', async () => {
    enter();
    FakeSocket.last.open();
    await pass(TRIP);
    FakeSocket.last.says(welcome());
    await settle();
    await connect();
    FakePc.last.becomes('disconnected');
    await pass(2 * TRIP);
    expect(FakeSocket.all).toHaveLength(1);
    await pass(TRIP);
    expect(FakeSocket.all.map(({ readyState }) => readyState)).toEqual([1, 0]);
    FakeSocket.all[0]?.says({ type: 'pong', n: 1 });
    await pass(SECOND);
    expect(FakeSocket.all.map(({ readyState }) => readyState)).toEqual([1, 3]);
  });
});

test('a connection that never opens, or falls silent, is replaced', async () => {
  const page = enter();
  await pass(30 * SECOND);
  expect(page.now).toEqual({ kind: 'connecting', attempt: 1, trouble: 'lost' });
  await pass(SECOND);
  expect(FakeSocket.all).toHaveLength(2);
  await letIn();
  await connect();
  await pass(14 * SECOND);
  FakeSocket.last.says({ type: 'ping', n: 7 });
  expect(FakeSocket.last.sentOf('pong')).toEqual([{ type: 'pong', n: 7 }]);
  await pass(14 * SECOND);
  expect(page.now).toEqual({ kind: 'online' });
  await pass(SECOND);
  expect(page.now).toEqual({ kind: 'reconnecting', attempt: 1, trouble: 'lost' });
});

describe('refused', () => {
  test.each<ErrorCode>([
    'unknown_link',
    'seat_taken',
    'meeting_full',
    'meeting_locked',
    'site_removed',
    'meeting_ended',
  ])('%s at the door is an end', async code => {
    const page = enter();
    FakeSocket.last.open().says(refusal(code));
    expect(page.messages).toEqual([refusal(code)]);
    await pass(10 * MINUTE);
    expect(FakeSocket.all).toHaveLength(1);
  });

  test.each<ErrorCode>(['too_many_joins', 'rate_limited', 'internal', 'out_of_order', 'worker_full'])(
    '%s is asked again, slower and slower, and nobody is told of an end',
    async code => {
      const page = enter();
      await whileServer(socket => socket.says(refusal(code)), 10 * MINUTE);
      const tries = FakeSocket.all.length;
      expect(page.messages).toEqual([]);
      expect(page.now).toEqual({ kind: 'connecting', attempt: tries, trouble: code });
      // 0.5, 1, 2, … 32 s, then once a minute.
      expect(tries).toBeGreaterThan(12);
      expect(tries).toBeLessThan(18);
    },
  );

  test('a full room that this page has been in is asked again', async () => {
    const page = await online();
    FakeSocket.last.breaks();
    await whileServer(socket => socket.says(refusal('meeting_full')), 5 * MINUTE);
    expect(page.now).toMatchObject({ kind: 'reconnecting', trouble: 'meeting_full' });
    expect(FakeSocket.all.length).toBeLessThan(14);
    await untilOpening();
    await letIn();
    await connect();
    expect(page.now).toEqual({ kind: 'online' });
  });

  test.each<ErrorCode>(['version', 'malformed_message', 'message_too_large'])(
    '%s loads the newer page, once',
    async code => {
      const page = enter();
      FakeSocket.last.open().says(refusal(code));
      expect(location.reload).toHaveBeenCalledTimes(1);
      expect(page.messages).toEqual([]);
      const again = enter();
      FakeSocket.last.open().says(refusal(code));
      expect(location.reload).toHaveBeenCalledTimes(1);
      expect(again.messages).toEqual([refusal(code)]);
    },
  );

  test('a code this page does not know is an end with a word', async () => {
    const page = enter();
    FakeSocket.last.open().says(refusal('of_tomorrow' as ErrorCode));
    expect(page.messages).toHaveLength(1);
    await pass(MINUTE);
    expect(FakeSocket.all).toHaveLength(1);
  });
});

describe('an offer that the server refuses', () => {
  test.each<ErrorCode>(['offer_malformed', 'offer_too_large', 'offer_unsupported'])(
    '%s: a few more, slower, then an end',
    async code => {
      const page = enter();
      await letIn();
      for (let time = 0; time < 10 * MINUTE; time += 100) {
        const { offers } = FakeSocket.last;
        if (page.gaveUp === 0 && offers.length > page.messages.length - 1) FakeSocket.last.says(error(code));
        await pass(100);
      }
      expect(page.gaveUp).toBe(1);
      expect(FakeSocket.all).toHaveLength(1);
      expect(FakePc.all).toHaveLength(4);
      expect(FakePc.all.every(({ closed }) => closed)).toBe(true);
      expect(page.now).toMatchObject({ kind: 'connecting', attempt: 3, trouble: code });
    },
  );

  test('as changed: a new PeerConnection on the same seat', async () => {
    const page = enter();
    await letIn();
    FakeSocket.last.says(error('offer_changed'));
    await pass(SECOND);
    expect(FakePc.all).toHaveLength(2);
    await connect();
    expect(page.now).toEqual({ kind: 'online' });
    expect(FakeSocket.all).toHaveLength(1);
  });

  test.each<ErrorCode>(['worker_full', 'internal', 'rate_limited'])(
    '%s: slower and slower, for ever',
    async code => {
      const page = enter();
      await letIn();
      let refusals = 0;
      for (let time = 0; time < 30 * MINUTE; time += 100) {
        if (FakeSocket.last.offers.length > refusals) {
          refusals += 1;
          FakeSocket.last.says(error(code));
        }
        if (time % 5000 === 0) FakeSocket.last.says({ type: 'ping', n: 1 });
        await pass(100);
      }
      expect(page.gaveUp).toBe(0);
      expect(page.now).toMatchObject({ attempt: refusals, trouble: code });
      expect(refusals).toBeGreaterThan(30);
      expect(refusals).toBeLessThan(42);
      expect(FakePc.all.filter(({ closed }) => !closed)).toHaveLength(1);
    },
  );

  test('a refused act is no refused offer', async () => {
    const page = await online();
    for (const code of [
      'forbidden',
      'unknown_site',
      'rate_limited',
      'malformed_message',
      'internal',
    ] as const)
      FakeSocket.last.says(error(code));
    await pass(10 * SECOND);
    expect(page.now).toEqual({ kind: 'online' });
    expect(FakeSocket.last.offers).toHaveLength(1);
  });

  test('no answer at all: another connection', async () => {
    const page = enter();
    await letIn();
    await pass(10 * SECOND);
    expect(page.now).toEqual({ kind: 'connecting', attempt: 1, trouble: 'no_answer' });
    await pass(SECOND);
    expect(FakeSocket.all).toHaveLength(2);
  });
});

describe('an answer that the browser cannot use', () => {
  const everyOffer = async (page: Page, ms: number) => {
    let answered = 0;
    for (let time = 0; time < ms && page.gaveUp === 0; time += 100) {
      if (FakeSocket.last.offers.length > answered) {
        answered += 1;
        FakeSocket.last.says(answer);
      }
      await pass(100);
    }
  };

  test('a few more, slower, then an end', async () => {
    FakePc.understands = () => false;
    const page = enter();
    await letIn();
    await everyOffer(page, 10 * MINUTE);
    expect(page.gaveUp).toBe(1);
    expect(FakePc.all).toHaveLength(4);
    await pass(10 * MINUTE);
    expect([FakePc.all.length, FakeSocket.all.length]).toEqual([4, 1]);
  });

  test('because the server is a new one: the next connection fits', async () => {
    const page = await online();
    FakeSocket.last.breaks();
    await pass(SECOND);
    FakePc.understands = () => FakePc.all.length > 1;
    await letIn();
    await everyOffer(page, 2 * SECOND);
    FakePc.last.becomes('connected');
    expect(page.now).toEqual({ kind: 'online' });
    expect(FakePc.all).toHaveLength(2);
    expect(page.gaveUp).toBe(0);
  });
});
