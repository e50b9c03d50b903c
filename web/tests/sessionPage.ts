/** A whole page on a pretended machine: devices, loudspeakers, a screen, for the tests of the session. */
import { vi } from 'vitest';
import type { MeetingView, ServerMessage } from '../src/protocol/gen';
import { Session } from '../src/session/session';
import { connect, letIn, pass, settle } from './connectorPage';
import { FakePc, FakePlayer, FakeSocket, FakeTrack, pretendBrowser } from './fakes';
import { meeting, site } from './samples';

export const TOKEN = 'bi-mat';

/** What the machine of a room has, and what happened to it. */
export class Machine {
  readonly tracks: FakeTrack[] = [];
  readonly locks: { released: boolean }[] = [];
  /** Why the browser does not share the screen. */
  screenFails: DOMException | null = null;
  /** Until when devices keep the page waiting. */
  devicesReady: Promise<unknown> = Promise.resolve();

  get live(): FakeTrack[] {
    return this.tracks.filter(({ readyState }) => readyState === 'live');
  }

  get lit(): boolean {
    return this.locks.some(({ released }) => !released);
  }

  /** Sound that plays, or tries to. */
  get players(): FakePlayer[] {
    return FakePlayer.all.filter(({ kind, srcObject }) => kind === 'audio' && srcObject !== null);
  }

  readonly mediaDevices = Object.assign(new EventTarget(), {
    getUserMedia: async ({ audio, video }: MediaStreamConstraints) => {
      await this.devicesReady;
      return this.stream([...(audio ? ['audio' as const] : []), ...(video ? ['video' as const] : [])]);
    },
    getDisplayMedia: async () => {
      if (this.screenFails !== null) throw this.screenFails;
      return this.stream(['video']);
    },
    enumerateDevices: async () => [],
    getSupportedConstraints: () => ({}),
  });

  readonly wakeLock = {
    request: async () => {
      const lock = Object.assign(new EventTarget(), {
        released: false,
        release: async () => {
          lock.released = true;
        },
      });
      this.locks.push(lock);
      return lock;
    },
  };

  private stream(kinds: ('audio' | 'video')[]) {
    const tracks = kinds.map(kind => new FakeTrack(kind, { width: 1280, height: 720 }));
    this.tracks.push(...tracks);
    const of = (kind: string) => tracks.filter(track => track.kind === kind);
    return { getAudioTracks: () => of('audio'), getVideoTracks: () => of('video'), getTracks: () => tracks };
  }
}

/** The machine a page runs on; `stored`: what the page remembered there. */
export function pretendMachine(stored: Record<string, string> = {}, search = ''): Machine {
  pretendBrowser();
  const machine = new Machine();
  const kept = new Map(Object.entries(stored));
  const address = new URL(`https://hop.example/${search}#${TOKEN}`);
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  });
  vi.stubGlobal('location', Object.assign(address, { reload: vi.fn() }));
  vi.stubGlobal('history', { replaceState: () => undefined });
  vi.stubGlobal('screen', { width: 1920, height: 1080 });
  vi.stubGlobal('navigator', {
    maxTouchPoints: 0,
    mediaDevices: machine.mediaDevices,
    wakeLock: machine.wakeLock,
  });
  return machine;
}

export const inMeeting = (changes: Partial<MeetingView> = {}): ServerMessage => ({
  type: 'meeting',
  meeting: meeting([site(1), site(2), site(3)], { actions: ['share_content'], ...changes }),
});

/** A page as the browser has loaded it. */
export async function open(): Promise<Session> {
  const session = new Session();
  session.begin();
  await settle();
  return session;
}

/** In the meeting, with sound and video. */
export async function online(): Promise<Session> {
  const session = await open();
  session.screen.area.value = { width: 1280, height: 620 };
  if (session.phase.value === 'entry') session.join();
  await settle();
  await letIn();
  FakeSocket.last.says(inMeeting());
  await connect();
  await settle();
  return session;
}

/** Back on a new connection, with or without the seat there was. */
export async function comesBack(seat: string): Promise<void> {
  while (FakeSocket.last.readyState !== 0) await pass(100);
  await letIn(seat);
  FakeSocket.last.says(inMeeting());
  await connect();
  await settle();
}

/** What the page sends: microphone, camera, content. */
export const sent = () => FakePc.last.transceivers.slice(0, 3).map(({ sender }) => sender.track);
export const mediaTold = () => FakeSocket.last.sentOf('media').at(-1);
export const wished = () => FakeSocket.last.sentOf('wishes').at(-1)?.slots ?? [];
