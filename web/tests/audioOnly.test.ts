import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Session } from '../src/session/session';
import { pass, SECOND } from './connectorPage';
import { FakeSocket, forgetBrowser } from './fakes';
import { comesBack, mediaTold, online, pretendMachine, sent, wished } from './sessionPage';

beforeEach(() => void pretendMachine());
afterEach(forgetBrowser);

/** A wish for each slot of a machine that is no phone. */
const NO_VIDEO = Array(16).fill(null);

async function choose(session: Session, audioOnly: boolean) {
  await session.local.choose({ audioOnly });
  await pass(SECOND);
}

test('no video is wished for, and the own camera is sent as before', async () => {
  const session = await online();
  const before = sent();
  await choose(session, true);
  expect(wished()).toEqual(NO_VIDEO);
  expect(sent()).toEqual(before);
  expect(mediaTold()).toMatchObject({ camera: true });
  await choose(session, false);
  expect(wished().flatMap(wish => wish?.site ?? [])).toEqual([1, 3]);
});

test.each(['seat', 'a new seat'])('it stays after the server came back, with %s', async seat => {
  const session = await online();
  await choose(session, true);
  FakeSocket.last.breaks();
  await comesBack(seat);
  expect(session.audioOnly.value).toBe(true);
  expect(wished()).toEqual(NO_VIDEO);
});

test('chosen while there is no server it holds afterwards', async () => {
  const session = await online();
  FakeSocket.last.breaks();
  await choose(session, true);
  await comesBack('seat');
  expect(wished()).toEqual(NO_VIDEO);
});

test('a device remembers it', async () => {
  pretendMachine({ 'nhipcau.devices': '{"audioOnly":true}' });
  await online();
  expect(wished()).toEqual(NO_VIDEO);
});

test('where nothing may be stored it holds for as long as the page is open', async () => {
  const forbidden = () => {
    throw new DOMException('', 'SecurityError');
  };
  vi.stubGlobal('localStorage', { getItem: forbidden, setItem: forbidden });
  const session = await online();
  await choose(session, true);
  FakeSocket.last.breaks();
  await comesBack('a new seat');
  expect(wished()).toEqual(NO_VIDEO);
});

test('a mix is asked for, and asked for again where the server knows nothing of it', async () => {
  const session = await online();
  const asked = () => FakeSocket.last.sentOf('hearing').at(-1)?.mixed;
  expect(asked()).toBe(false);
  await session.local.choose({ mixedSound: true });
  await pass(SECOND);
  expect(asked()).toBe(true);
  FakeSocket.last.breaks();
  await comesBack('a new seat');
  expect(asked()).toBe(true);
});
