import { beforeEach, describe, expect, test } from 'vitest';
import { type Acquired, flows } from '../src/media/devices';
import { Capture } from '../src/session/capture';

/** A device's track, as far as `Capture` looks at it. */
class Track {
  onended: (() => void) | null = null;
  onmute: (() => void) | null = null;
  onunmute: (() => void) | null = null;
  muted = false;
  stopped = false;

  constructor(private readonly deviceId: string) {}

  getSettings() {
    return { deviceId: this.deviceId };
  }

  stop() {
    this.stopped = true;
  }
}

const device = (deviceId: string) => ({ deviceId, label: deviceId }) as MediaDeviceInfo;
const gives = (track: Track): Acquired => ({ track: track as unknown as MediaStreamTrack, problem: null });

describe('a device that is pulled out', () => {
  let blocked = false;
  let tracks: Track[] = [];
  const open = async () => {
    const capture = new Capture(
      async () => {
        const track = new Track('hall');
        tracks.push(track);
        return gives(track);
      },
      async () => blocked,
    );
    await capture.start();
    return capture;
  };
  const unplug = async () => {
    tracks.at(-1)?.onended?.();
    await Promise.resolve();
  };

  beforeEach(() => {
    blocked = false;
    tracks = [];
  });

  test('is told, and another one is offered, not taken', async () => {
    const capture = await open();
    await unplug();
    expect(capture.acquired.value).toEqual({ track: null, problem: 'lost' });
    await capture.devicesChanged([device('laptop')]);
    expect(capture.other.value?.deviceId).toBe('laptop');
    expect(tracks).toHaveLength(1);
  });

  test('without another one nothing is offered', async () => {
    const capture = await open();
    await unplug();
    await capture.devicesChanged([]);
    expect(capture.other.value).toBeNull();
  });

  test('is used again when it comes back', async () => {
    const capture = await open();
    await unplug();
    await capture.devicesChanged([device('laptop'), device('hall')]);
    expect(capture.acquired.value).toEqual(gives(tracks[1]!));
    expect(capture.other.value).toBeNull();
  });

  test('a change of other devices touches nothing that runs', async () => {
    const capture = await open();
    await capture.devicesChanged([device('laptop')]);
    expect(capture.acquired.value).toEqual(gives(tracks[0]!));
    expect(tracks[0]?.stopped).toBe(false);
  });

  test('a permission taken away is not called a cable', async () => {
    const capture = await open();
    blocked = true;
    await unplug();
    await Promise.resolve();
    expect(capture.acquired.value.problem).toBe('blocked');
  });

  test('one that is silenced from outside is told, kept, and is well again by itself', async () => {
    const capture = await open();
    const track = tracks[0]!;
    track.muted = true;
    track.onmute?.();
    expect(capture.acquired.value).toEqual({ ...gives(track), problem: 'silenced' });
    expect(flows(capture.acquired.value)).toBe(false);
    track.muted = false;
    track.onunmute?.();
    expect(capture.acquired.value).toEqual(gives(track));
    expect(flows(capture.acquired.value)).toBe(true);
    await unplug();
    track.onmute?.();
    expect(capture.acquired.value.problem).toBe('lost');
  });

  test('one that was switched off before is nobody’s loss', async () => {
    const capture = await open();
    capture.stop();
    await unplug();
    expect(capture.acquired.value).toEqual({ track: null, problem: null });
  });
});

test('a device that comes too late is let go', async () => {
  let arrive: (acquired: Acquired) => void = () => undefined;
  const capture = new Capture(
    () =>
      new Promise(resolve => {
        arrive = resolve;
      }),
    async () => false,
  );
  const started = capture.start();
  capture.stop();
  const late = new Track('slow');
  arrive(gives(late));
  await started;
  expect(late.stopped).toBe(true);
  expect(capture.acquired.value.track).toBeNull();
});
