import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ErrorCode, ServerMessage } from '../src/protocol/gen';
import { Connector, type Progress } from '../src/session/connector';
import { FakePc, FakeSocket, forgetBrowser, network, pretendBrowser } from './fakes';

vi.mock('../src/protocol/sdp', () => ({
  packSdp: async (sdp: string) => ({ plain: sdp }),
  unpackSdp: async (sdp: { plain: string }) => sdp.plain,
}));

const LINK = { token: 'bi-mat', webSocket: 'ws://hop.example/ws', direct: false };
const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** One page on its way into a meeting. */
class Page {
  readonly progress: Progress[] = [];
  readonly messages: ServerMessage[] = [];
  gaveUp = 0;
  negotiated = 0;
  readonly connector = new Connector(LINK, 2, Promise.resolve(), {
    message: message => this.messages.push(message),
    progress: progress => this.progress.push(progress),
    media: () => undefined,
    negotiated: () => {
      this.negotiated += 1;
    },
    gaveUp: () => {
      this.gaveUp += 1;
    },
  });

  get now(): Progress | undefined {
    return this.progress.at(-1);
  }

  get attempt(): number {
    return this.now !== undefined && 'attempt' in this.now ? this.now.attempt : 0;
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
/** Promises that are due are kept. */
const settle = () => pass(1);
const welcome = (seat = 'seat'): ServerMessage => ({
  type: 'welcome',
  version: 1,
  you: 2,
  role: 'site',
  seat,
  actions: [],
});
const refusal = (code: ErrorCode): ServerMessage => ({ type: 'refused', code, text: '' });
const error = (code: ErrorCode): ServerMessage => ({ type: 'error', code, text: '' });
const answer: ServerMessage = { type: 'answer', sdp: { plain: 'answer' } };

function enter(takeover = false): Page {
  const page = new Page();
  page.connector.start(takeover);
  return page;
}

/** The newest connection is taken, and the site is in. */
async function letIn(seat = 'seat') {
  FakeSocket.last.open().says(welcome(seat));
  await settle();
}

/** The newest offer is answered, and media flows. */
async function connect() {
  FakeSocket.last.says(answer);
  await settle();
  FakePc.last.becomes('connected');
}

async function online(): Promise<Page> {
  const page = enter();
  await letIn();
  await connect();
  expect(page.now).toEqual({ kind: 'online' });
  return page;
}

/** For `ms` the server does the same to every connection that is opened. */
async function whileServer(does: (socket: FakeSocket) => void, ms: number) {
  for (let passed = 0; passed < ms; passed += 100) {
    for (const socket of FakeSocket.all.filter(({ readyState }) => readyState === 0)) {
      socket.open();
      does(socket);
    }
    await pass(100);
  }
}

async function untilOpening() {
  while (FakeSocket.last.readyState !== 0) await pass(100);
}

beforeEach(pretendBrowser);
afterEach(forgetBrowser);

describe('the way in', () => {
  test('greets, offers once, and is online with the first media', async () => {
    const page = enter();
    expect(page.now).toEqual({ kind: 'connecting', attempt: 0, trouble: null });
    await letIn();
    expect(FakeSocket.last.hello).toEqual({ type: 'hello', version: 1, token: 'bi-mat', takeover: false });
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

  test('a probe waits for its answer', async () => {
    enter();
    FakeSocket.last.open();
    await pass(TRIP);
    FakeSocket.last.says(welcome());
    await settle();
    await connect();
    FakePc.last.becomes('disconnected');
    await pass(4 * SECOND + TRIP);
    expect(FakeSocket.all).toHaveLength(1);
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

  test.each<ErrorCode>(['worker_full', 'internal'])('%s: slower and slower, for ever', async code => {
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
  });

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

  test('a short gap heals by itself', async () => {
    const page = await online();
    FakePc.last.becomes('disconnected');
    await pass(2 * SECOND);
    FakeSocket.last.says({ type: 'pong', n: 1 });
    FakePc.last.becomes('connected');
    await pass(8 * SECOND);
    expect(page.progress.filter(({ kind }) => kind !== 'online')).toHaveLength(1);
    expect(FakePc.last.offers).toEqual(['fresh']);
    expect(FakeSocket.last.sentOf('ping')).toHaveLength(1);
  });

  test('a longer one restarts ICE on the living connection', async () => {
    const page = await online();
    FakePc.last.becomes('disconnected');
    await pass(2500);
    expect(page.now).toEqual({ kind: 'reconnecting', attempt: 1, trouble: 'no_media' });
    await settle();
    expect(FakePc.last.offers).toEqual(['fresh', 'restart']);
    await connect();
    expect(page.now).toEqual({ kind: 'online' });
    expect(FakePc.all).toHaveLength(1);
  });

  test('a failed one at once', async () => {
    const page = await online();
    FakePc.last.becomes('failed');
    expect(page.attempt).toBe(1);
    await settle();
    // A failed connection is never used again.
    expect(FakePc.all).toHaveLength(2);
  });

  test('what comes and goes is repaired slower and slower', async () => {
    const page = await online();
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
