import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MediaConnection } from '../src/media/connection';
import { settle } from './connectorPage';
import { FakePc, FakePlayer, FakeTrack, forgetBrowser, pretendBrowser } from './fakes';

beforeEach(pretendBrowser);
afterEach(forgetBrowser);

const camera = (width?: number, height?: number) =>
  new FakeTrack('video', { width, height }) as unknown as MediaStreamTrack;

/** What the camera's layers are divided by, lowest first; `null`: not sent. */
function divisors(): (number | null | undefined)[] {
  const sender = FakePc.last.transceivers[1]!.sender;
  return sender.getParameters().encodings.map(one => (one.active ? one.scaleResolutionDownBy : null));
}

async function showing(track: MediaStreamTrack): Promise<MediaConnection> {
  const media = new MediaConnection(1, () => undefined);
  await media.sendCamera(track);
  await settle();
  return media;
}

test('layers are made of what the device says it gives', async () => {
  await showing(camera(640, 480));
  expect(divisors()).toEqual([2, 1, null]);
});

test('what says nothing of its size is taken to give what was asked for', async () => {
  await showing(camera());
  expect(divisors()).toEqual([4, 2, 1]);
});

test('frames of another size make other layers, at once', async () => {
  const media = await showing(camera(1280, 720));
  FakePlayer.last.gives(640, 480);
  await settle();
  expect(divisors()).toEqual([2, 1, null]);
  media.wantLayers({ camera: [true, false, false], content: [] });
  await settle();
  expect(divisors()).toEqual([2, null, null]);
  media.wantLayers({ camera: [true, true, true], content: [] });
  FakePlayer.last.gives(720, 1280);
  await settle();
  expect(divisors()).toEqual([4, 2, 1]);
});

test('a camera that was exchanged decides nothing any more', async () => {
  const media = await showing(camera(1280, 720));
  const old = FakePlayer.last;
  await media.sendCamera(camera(640, 480));
  await settle();
  old.gives(1280, 720);
  await settle();
  expect(divisors()).toEqual([2, 1, null]);
  expect(old.srcObject).toBeNull();
  media.close();
  expect(FakePlayer.all.every(({ srcObject }) => srcObject === null)).toBe(true);
});

test('a page that is presented is followed as a camera is, and apart from it', async () => {
  const media = await showing(camera(1280, 720));
  await media.sendContent(camera(1920, 1080));
  await settle();
  const encodings = () => FakePc.last.transceivers[2]!.sender.getParameters().encodings;
  expect(encodings().map(one => one.active)).toEqual([true, true]);
  FakePlayer.last.gives(320, 200);
  await settle();
  expect(encodings().map(one => one.active && one.scaleResolutionDownBy)).toEqual([1, false]);
  expect(divisors()).toEqual([4, 2, 1]);
  await media.sendContent(null);
  expect(FakePlayer.last.srcObject).toBeNull();
});

test('redundant audio is heard where the bridge makes it, and not spoken', () => {
  const codecs = ['audio/opus', 'audio/red', 'audio/PCMU'].map(mimeType => ({ mimeType }));
  vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => ({ codecs }) });
  new MediaConnection(1, () => undefined);
  const audio = FakePc.last.transceivers.filter(({ receiver }) => receiver.track.kind === 'audio');
  const [microphone, ...slots] = audio.map(transceiver => transceiver.codecs);
  expect(microphone).toEqual(['audio/opus', 'audio/red']);
  expect(slots).toEqual(Array(4).fill(['audio/red', 'audio/opus']));
});

test('a browser without redundant audio hears plain Opus', () => {
  vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => ({ codecs: [{ mimeType: 'audio/opus' }] }) });
  new MediaConnection(1, () => undefined);
  expect(FakePc.last.transceivers.at(-1)?.codecs).toEqual(['audio/opus']);
});
