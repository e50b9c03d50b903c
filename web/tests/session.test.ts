import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { GoodbyeReason } from '../src/protocol/gen';
import type { Session } from '../src/session/session';
import { answer, connect, error, letIn, MINUTE, pass, refusal, SECOND, settle } from './connectorPage';
import { FakePc, FakePlayer, FakeSocket, forgetBrowser, network } from './fakes';
import { site } from './samples';
import {
  comesBack,
  inMeeting,
  type Machine,
  mediaTold,
  online,
  open,
  pretendMachine,
  sent,
  TOKEN,
  wished,
} from './sessionPage';

let machine: Machine;

beforeEach(() => {
  machine = pretendMachine();
});
afterEach(forgetBrowser);

const told = (session: Session) => session.notices.shown.value.map(({ notice }) => notice.kind);

/** Nothing of a meeting is left on the machine, and nothing comes back by itself. */
async function isOver(session: Session) {
  const sockets = FakeSocket.all.length;
  const connections = FakePc.all.length;
  expect(session.phase.value).toBe('ended');
  expect(session.media.value).toBeNull();
  expect(machine.live).toEqual([]);
  expect(machine.players).toEqual([]);
  expect(FakePc.all.every(({ closed }) => closed)).toBe(true);
  expect(FakeSocket.last.readyState).toBe(3);
  await pass(10 * MINUTE);
  expect([FakeSocket.all.length, FakePc.all.length]).toEqual([sockets, connections]);
  expect(machine.lit).toBe(false);
}

describe('the page begins', () => {
  test('with a look at the devices, before anything is sent anywhere', async () => {
    const session = await open();
    expect(session.phase.value).toBe('entry');
    expect(machine.live.map(({ kind }) => kind)).toEqual(['audio', 'video']);
    expect(FakeSocket.all).toEqual([]);
    expect(machine.lit).toBe(false);
  });

  test.each([
    ['a link that says so', {}, '?ngay=1'],
    ['a device that remembers so', { 'nhipcau.devices': '{"direct":true}' }, ''],
  ])('in the meeting, by %s', async (_, stored, search) => {
    machine = pretendMachine(stored, search);
    const session = await open();
    expect(session.phase.value).toBe('meeting');
    expect(FakeSocket.all).toHaveLength(1);
  });

  test('with a sentence where there is no link, or no WebRTC', async () => {
    location.hash = '';
    expect((await open()).ending.value).toEqual({ kind: 'no_link' });
    pretendMachine();
    vi.stubGlobal('RTCPeerConnection', undefined);
    expect((await open()).ending.value).toEqual({ kind: 'unsupported' });
    expect(FakeSocket.all).toEqual([]);
  });
});

describe('in the meeting', () => {
  test('devices are on the connection, and the bridge is told what they do', async () => {
    const session = await online();
    const [microphone, camera] = machine.live;
    expect(sent()).toEqual([microphone, camera, null]);
    expect(mediaTold()).toMatchObject({ microphone: false, camera: true, content: false });
    await session.sending.toggleMicrophone();
    expect(mediaTold()).toMatchObject({ microphone: true });
    await session.sending.toggleCamera();
    await settle();
    expect(mediaTold()).toMatchObject({ microphone: true, camera: false });
    expect(sent()).toEqual([microphone, null, null]);
    expect(told(session)).toEqual([]);
  });

  test('sources of the others are wished for, the own one is not', async () => {
    await online();
    await pass(SECOND);
    expect(wished().flatMap(wish => wish?.site ?? [])).toEqual([1, 3]);
  });

  test('who offers waits for devices, but not for ever', async () => {
    machine.devicesReady = new Promise(() => undefined);
    const session = await open();
    session.join();
    await letIn();
    expect(FakeSocket.last.offers).toEqual([]);
    await pass(SECOND);
    expect(FakeSocket.last.offers).toHaveLength(1);
  });

  test('every slot is heard; where the browser wants a click, one is asked for', async () => {
    FakePlayer.wantsClick = true;
    const session = await online();
    expect(machine.players).toHaveLength(16 + 3);
    expect(session.hearing.blocked.value).toBe(true);
    FakePlayer.wantsClick = false;
    session.hearing.listen();
    await settle();
    expect(session.hearing.blocked.value).toBe(false);
  });

  test('who was muted by the chair cannot open the microphone', async () => {
    const session = await online();
    await session.sending.toggleMicrophone();
    const muted = site(2, { microphone: 'muted_by_chair' });
    FakeSocket.last.says(inMeeting({ sites: [site(1), muted, site(3)] }));
    await session.sending.toggleMicrophone();
    expect(mediaTold()).toMatchObject({ microphone: false });
    expect(session.banner.value).toBe('muted_by_chair');
    expect(machine.live.find(({ kind }) => kind === 'audio')?.enabled).toBe(false);
    expect(told(session)).toEqual(['mutedByChair']);
  });

  test('layers that nobody watches are not sent, on a later connection neither', async () => {
    await online();
    const active = () => FakePc.last.transceivers[1]!.sender.getParameters().encodings.map(one => one.active);
    FakeSocket.last.says({ type: 'layers', kind: 'camera', layers: [true, false, false] });
    await settle();
    expect(active()).toEqual([true, false, false]);
    FakeSocket.last.says({ type: 'media_moved' });
    await settle();
    await connect();
    expect(FakePc.all).toHaveLength(2);
    expect(active()).toEqual([true, false, false]);
  });

  test('the screen is shared; what the browser refuses is told, what people cancel is not', async () => {
    const session = await online();
    await session.sending.toggleContent();
    expect(mediaTold()).toMatchObject({ content: true });
    expect(sent()[2]).toBe(machine.live.at(-1));
    await session.sending.toggleContent();
    expect(mediaTold()).toMatchObject({ content: false });
    machine.screenFails = new DOMException('', 'NotAllowedError');
    await session.sending.toggleContent();
    expect(told(session)).toEqual([]);
    machine.screenFails = new DOMException('', 'NotReadableError');
    await session.sending.toggleContent();
    expect(told(session)).toEqual(['shareFailed']);
  });

  test('notices go by themselves, and are four at most', async () => {
    const session = await online();
    for (let round = 0; round < 3; round++)
      for (const locked of [true, false]) FakeSocket.last.says(inMeeting({ locked }));
    expect(told(session)).toEqual(['locked', 'unlocked', 'locked', 'unlocked']);
    await pass(8 * SECOND);
    expect(told(session)).toEqual([]);
  });

  test('the screen stays lit until one leaves', async () => {
    const session = await online();
    expect(machine.lit).toBe(true);
    session.leave();
    expect(machine.lit).toBe(false);
    expect(FakeSocket.last.sentOf('leave')).toHaveLength(1);
    expect(session.ending.value).toEqual({ kind: 'left' });
    await isOver(session);
  });

  test('where the browser cannot keep it lit, people are told once', async () => {
    vi.stubGlobal('navigator', { ...navigator, mediaDevices: machine.mediaDevices, wakeLock: undefined });
    const session = await online();
    expect(told(session)).toEqual(['screenMaySleep']);
    FakeSocket.last.breaks();
    await pass(SECOND);
    await letIn();
    await connect();
    expect(told(session).filter(kind => kind === 'screenMaySleep')).toHaveLength(1);
  });
});

describe('the server is killed and comes back', () => {
  test.each(['seat', 'a new seat'])('with %s: all is as before, and said once', async seat => {
    const session = await online();
    await session.sending.toggleMicrophone();
    const before = wished();
    FakeSocket.last.breaks();
    expect(session.progress.value).toMatchObject({ kind: 'reconnecting', attempt: 1, trouble: 'lost' });
    expect(session.banner.value).toBe('reconnecting');
    await comesBack(seat);
    expect(FakeSocket.last.hello).toMatchObject({ token: TOKEN, seat: 'seat', takeover: false });
    expect(session.banner.value).not.toBe('reconnecting');
    expect(told(session)).toEqual(['restored']);
    expect(wished()).toEqual(before);
    expect(mediaTold()).toMatchObject({ microphone: true, camera: true });
    expect(sent()).toEqual([...machine.live, null]);
    expect(FakePc.all).toHaveLength(seat === 'seat' ? 1 : 2);
  });

  test('what the new one plays comes from the new connection alone', async () => {
    await online();
    const old = machine.players;
    FakeSocket.last.breaks();
    await comesBack('a new seat');
    expect(machine.players).toHaveLength(old.length);
    expect(machine.players.some(player => old.includes(player))).toBe(false);
  });

  test('for an hour in vain: people see that it is tried, and it goes on trying', async () => {
    const session = await online();
    FakeSocket.last.breaks();
    for (let minute = 0; minute < 60; minute++) {
      if (FakeSocket.last.readyState === 0) FakeSocket.last.breaks();
      await pass(MINUTE);
      expect(session.phase.value).toBe('meeting');
    }
    expect(session.progress.value).toMatchObject({ kind: 'reconnecting' });
    expect(machine.live).toHaveLength(2);
    await comesBack('a new seat');
    expect(told(session)).toEqual(['restored']);
  });

  test('before one was in for the first time: nothing is said to be restored', async () => {
    const session = await open();
    session.join();
    await letIn();
    FakeSocket.last.breaks();
    expect(session.progress.value).toMatchObject({ kind: 'connecting' });
    await comesBack('seat');
    expect(session.progress.value).toEqual({ kind: 'online' });
    expect(told(session)).toEqual([]);
  });
});

describe('media that does not come', () => {
  test('an ICE restart on the connection there is, told when it has helped', async () => {
    const session = await online();
    FakeSocket.answersPings = true;
    FakePc.last.becomes('disconnected');
    await pass(2500);
    expect(session.progress.value).toMatchObject({ kind: 'reconnecting', trouble: 'no_media' });
    await settle();
    expect(FakePc.last.offers).toEqual(['fresh', 'restart']);
    const wishes = FakeSocket.last.sentOf('wishes').length;
    await connect();
    expect(told(session)).toEqual(['restored']);
    expect(FakeSocket.last.sentOf('wishes').length).toBe(wishes + 1);
    expect([FakePc.all.length, FakeSocket.all.length]).toEqual([1, 1]);
  });

  test('a connection that has failed is replaced, with all that it carried', async () => {
    const session = await online();
    const players = machine.players;
    FakePc.last.becomes('failed');
    await settle();
    await connect();
    await settle();
    expect([FakePc.all.length, FakeSocket.all.length]).toEqual([2, 1]);
    expect(FakePc.all[0]?.closed).toBe(true);
    expect(sent()).toEqual([...machine.live, null]);
    expect(machine.players).toHaveLength(players.length);
    expect(machine.players.some(player => players.includes(player))).toBe(false);
    expect(told(session)).toEqual(['restored']);
  });

  test('a network that comes while the call is healthy changes nothing', async () => {
    const session = await online();
    network.dispatchEvent(new Event('online'));
    await settle();
    FakeSocket.last.says({ type: 'pong', n: 1 });
    await pass(5 * SECOND);
    expect(session.progress.value).toEqual({ kind: 'online' });
    expect([FakePc.all.length, FakeSocket.all.length]).toEqual([1, 1]);
  });
});

describe('what cannot be mended ends with a page of its own', () => {
  test('offers that the server refuses', async () => {
    const session = await open();
    session.join();
    await letIn();
    for (let time = 0; time < MINUTE && session.phase.value === 'meeting'; time += 100) {
      if (FakeSocket.last.offers.length > 0) FakeSocket.last.says(error('offer_unsupported'));
      await pass(100);
    }
    expect(session.ending.value).toEqual({ kind: 'unfit' });
    await isOver(session);
  });

  test('answers that the browser cannot apply', async () => {
    FakePc.understands = () => false;
    const session = await open();
    session.join();
    await letIn();
    for (let time = 0; time < MINUTE && session.phase.value === 'meeting'; time += 100) {
      if (FakePc.last.signalingState === 'have-local-offer') FakeSocket.last.says(answer);
      await pass(100);
    }
    expect(session.ending.value).toEqual({ kind: 'unfit' });
    await isOver(session);
  });

  test.each<GoodbyeReason>(['ended', 'removed', 'taken_over'])('a farewell: %s', async reason => {
    const session = await online();
    FakeSocket.last.says({ type: 'goodbye', reason });
    expect(session.ending.value).toEqual({ kind: reason });
    await isOver(session);
  });

  test('a refusal at the door', async () => {
    const session = await open();
    session.join();
    FakeSocket.last.open().says(refusal('meeting_locked'));
    expect(session.ending.value).toEqual({ kind: 'refused', code: 'meeting_locked' });
    await isOver(session);
  });
});

test('a seat that another device has is taken over, when people say so and only then', async () => {
  const session = await open();
  session.join();
  FakeSocket.last.open();
  expect(FakeSocket.last.hello).toMatchObject({ takeover: false });
  FakeSocket.last.says(refusal('seat_taken'));
  await isOver(session);
  session.join(true);
  await settle();
  FakeSocket.last.open();
  expect(FakeSocket.last.hello).toMatchObject({ takeover: true });
  await letIn();
  await connect();
  expect(session.phase.value).toBe('meeting');
  expect(session.ending.value).toBeNull();
  expect(machine.live).toHaveLength(2);
  expect(machine.lit).toBe(true);
  FakeSocket.last.breaks();
  await pass(SECOND);
  FakeSocket.last.open();
  expect(FakeSocket.last.hello).toMatchObject({ takeover: false });
});

test('who joins again after the end begins anew', async () => {
  const session = await online();
  FakeSocket.last.says({ type: 'links', links: [] });
  FakeSocket.last.says({ type: 'goodbye', reason: 'removed' });
  session.join();
  expect(session.state.value.meeting).toBeNull();
  await settle();
  await letIn();
  FakeSocket.last.says(inMeeting());
  await connect();
  expect(told(session)).toEqual([]);
  expect(session.progress.value).toEqual({ kind: 'online' });
  await pass(SECOND);
  expect(wished().flatMap(wish => wish?.site ?? [])).toEqual([1, 3]);
});
