import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LocalMedia } from '../src/session/localMedia';
import { FakeTrack } from './fakes';

/** A mixer that shows what has been put into it. */
class FakeContext {
  static mixes: { track: FakeTrack; inputs: FakeTrack[] }[] = [];
  readonly state = 'running';

  createMediaStreamDestination() {
    const mixed = { track: new FakeTrack('audio'), inputs: [] as FakeTrack[] };
    FakeContext.mixes.push(mixed);
    return { mixed, stream: { getAudioTracks: () => [mixed.track] } };
  }

  createMediaStreamSource({ tracks }: { tracks: FakeTrack[] }) {
    let inputs: FakeTrack[] = [];
    return {
      connect: (to: { mixed?: { inputs: FakeTrack[] } }) => {
        inputs = to.mixed?.inputs ?? [];
        inputs.push(...tracks);
      },
      disconnect: () => inputs.splice(0),
    };
  }

  createAnalyser() {
    return { fftSize: 0, getFloatTimeDomainData: () => undefined };
  }
}

const presented = { video: new FakeTrack('video'), sound: null as FakeTrack | null };
const microphone = new FakeTrack('audio');
let asked: DisplayMediaStreamOptions[] = [];

function pretendDevices(supported: object) {
  vi.stubGlobal('MediaStream', function stream(this: { tracks: FakeTrack[] }, tracks: FakeTrack[]) {
    this.tracks = tracks;
  });
  vi.stubGlobal('AudioContext', FakeContext);
  vi.stubGlobal('navigator', {
    mediaDevices: {
      addEventListener: () => undefined,
      enumerateDevices: async () => [],
      getSupportedConstraints: () => supported,
      getUserMedia: async () => ({ getAudioTracks: () => [microphone], getVideoTracks: () => [] }),
      getDisplayMedia: async (options: DisplayMediaStreamOptions) => {
        asked.push(options);
        const { video, sound } = presented;
        return { getVideoTracks: () => [video], getAudioTracks: () => (sound === null ? [] : [sound]) };
      },
    },
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeContext.mixes = [];
  asked = [];
  presented.video = new FakeTrack('video');
  presented.sound = new FakeTrack('audio');
  pretendDevices({ restrictOwnAudio: true });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function withMicrophone() {
  const local = new LocalMedia();
  await local.setMicrophone(true);
  expect(local.sound.value).toBe(microphone);
  return local;
}

describe('the sound of what is presented', () => {
  test('is sent beside the microphone, and the microphone alone again after it', async () => {
    const local = await withMicrophone();
    await local.presenting.set(true);
    expect(FakeContext.mixes.at(-1)?.inputs).toEqual([microphone, presented.sound]);
    expect(local.sound.value).toBe(FakeContext.mixes.at(-1)?.track);
    await local.presenting.set(false);
    expect(local.sound.value).toBe(microphone);
    expect([presented.sound?.readyState, FakeContext.mixes[0]?.track.readyState]).toEqual(['ended', 'ended']);
    expect(microphone.readyState).toBe('live');
  });

  test('goes on when the microphone is closed, and the microphone when the film ends', async () => {
    const local = await withMicrophone();
    await local.presenting.set(true);
    await local.setMicrophone(false);
    expect([microphone.enabled, presented.sound?.enabled]).toEqual([false, true]);
    expect(FakeContext.mixes.at(-1)?.inputs).toContain(presented.sound);
    await local.setMicrophone(true);
    presented.sound?.onended?.();
    expect(local.film.value).toBeNull();
    expect(local.sound.value).toBe(microphone);
    expect(local.content.value).toBe(presented.video);
  });

  test('ends with the video, also by the browser’s own button', async () => {
    const local = await withMicrophone();
    await local.presenting.set(true);
    presented.video.onended?.();
    expect([local.content.value, local.film.value]).toEqual([null, null]);
    expect(presented.sound?.readyState).toBe('ended');
  });

  test('is carried where there is no microphone', async () => {
    const local = new LocalMedia();
    await local.presenting.set(true);
    expect(FakeContext.mixes.at(-1)?.inputs).toEqual([presented.sound]);
    expect(local.sound.value).toBe(FakeContext.mixes.at(-1)?.track);
  });

  test('is not asked of a whole machine whose browser cannot leave the other sites’ voices out', async () => {
    const local = new LocalMedia();
    await local.presenting.set(true);
    expect(asked[0]).toMatchObject({
      systemAudio: 'include',
      audio: { restrictOwnAudio: true, suppressLocalAudioPlayback: false, echoCancellation: false },
    });
    pretendDevices({});
    await local.presenting.set(true);
    expect(asked[1]).toMatchObject({ systemAudio: 'exclude' });
  });

  test('is not there where the user did not share it', async () => {
    presented.sound = null;
    const local = await withMicrophone();
    expect(await local.presenting.set(true)).toBe('as_wanted');
    expect(local.sound.value).toBe(microphone);
  });
});
