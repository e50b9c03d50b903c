/** A page on its way into a meeting, for the tests of the connector. */
import { expect, vi } from 'vitest';
import { type ErrorCode, type ServerMessage, VERSION } from '../src/protocol/gen';
import { Connector, type Progress } from '../src/session/connector';
import { FakePc, FakeSocket } from './fakes';

const LINK = { token: 'bi-mat', webSocket: 'ws://hop.example/ws', direct: false };
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;

/** One page on its way into a meeting. */
export class Page {
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

export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
/** Promises that are due are kept. */
export const settle = () => pass(1);
export const welcome = (seat = 'seat'): ServerMessage => ({
  type: 'welcome',
  version: VERSION,
  you: 2,
  role: 'site',
  seat,
  actions: [],
});
export const refusal = (code: ErrorCode): ServerMessage => ({ type: 'refused', code, text: '' });
export const error = (code: ErrorCode): ServerMessage => ({ type: 'error', code, text: '' });
export const answer: ServerMessage = { type: 'answer', sdp: { plain: 'answer' } };

export function enter(takeover = false): Page {
  const page = new Page();
  page.connector.start(takeover);
  return page;
}

/** The newest connection is taken, and the site is in. */
export async function letIn(seat = 'seat') {
  FakeSocket.last.open().says(welcome(seat));
  await settle();
}

/** The newest offer is answered, and media flows. */
export async function connect() {
  FakeSocket.last.says(answer);
  await settle();
  FakePc.last.becomes('connected');
}

export async function online(): Promise<Page> {
  const page = enter();
  await letIn();
  await connect();
  expect(page.now).toEqual({ kind: 'online' });
  return page;
}

/** For `ms` the server does the same to every connection that is opened. */
export async function whileServer(does: (socket: FakeSocket) => void, ms: number) {
  for (let passed = 0; passed < ms; passed += 100) {
    for (const socket of FakeSocket.all.filter(({ readyState }) => readyState === 0)) {
      socket.open();
      does(socket);
    }
    await pass(100);
  }
}

export async function untilOpening() {
  while (FakeSocket.last.readyState !== 0) await pass(100);
}
