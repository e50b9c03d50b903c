import { effect, signal } from '@preact/signals';
import { type Choices, loadChoices, saveChoices } from '../media/choices';
import * as devices from '../media/devices';
import { type Level, meter } from '../media/level';
import { Capture } from './capture';

const QUIET: Level = { level: 0, clipping: false };

/** Camera, microphone and screen of this device, as signals. */
export class LocalMedia {
  readonly choices = signal<Choices>(loadChoices());
  readonly lists = signal<devices.DeviceLists>({ cameras: [], microphones: [], speakers: [] });
  readonly captures = {
    camera: new Capture(
      () => devices.acquireCamera(this.choices.value),
      () => devices.isBlocked('camera'),
    ),
    microphone: new Capture(
      () => devices.acquireMicrophone(this.choices.value),
      () => devices.isBlocked('microphone'),
    ),
  };
  readonly camera = this.captures.camera.acquired;
  readonly microphone = this.captures.microphone.acquired;
  readonly content = signal<MediaStreamTrack | null>(null);
  readonly microphoneOpen = signal(false);
  readonly level = signal<Level>(QUIET);
  /** True while the browser asks or the device starts. */
  readonly starting = signal(false);

  constructor() {
    effect(() => saveChoices(this.choices.value));
    effect(() => {
      const { track } = this.microphone.value;
      if (track !== null) track.enabled = this.microphoneOpen.value || this.testing.value;
    });
    effect(() => this.watchLevel(this.microphone.value.track));
    navigator.mediaDevices?.addEventListener?.('devicechange', () => void this.devicesChanged());
    effect(() => {
      const lost = [this.camera, this.microphone].some(({ value }) => value.problem === 'lost');
      if (lost) void this.devicesChanged();
    });
  }

  /** On the entry page the meter listens although nothing is sent. */
  readonly testing = signal(false);

  async open(): Promise<void> {
    this.starting.value = true;
    const { camera, microphone } = this.captures;
    if (this.choices.value.cameraOn) {
      const both = devices.acquireBoth(this.choices.value);
      await Promise.all([
        camera.start(async () => (await both).camera),
        microphone.start(async () => (await both).microphone),
      ]);
    } else {
      await microphone.start();
    }
    this.lists.value = await devices.listDevices();
    this.starting.value = false;
  }

  /** Changes choices and, where it matters, the running devices. */
  async choose(change: Partial<Choices>): Promise<void> {
    this.choices.value = { ...this.choices.value, ...change };
    const keys = Object.keys(change);
    // Processing belongs to the capture, so it begins anew.
    if (keys.some(key => ['microphone', 'echoCancellation', 'noiseSuppression'].includes(key)))
      await this.captures.microphone.start();
    const { track, problem } = this.camera.value;
    if (keys.includes('camera') && (track !== null || problem !== null)) await this.setCamera(true);
  }

  async setCamera(on: boolean): Promise<void> {
    if (on) await this.captures.camera.start();
    else this.captures.camera.stop();
    this.lists.value = await devices.listDevices();
  }

  async setMicrophone(on: boolean): Promise<void> {
    if (on && this.microphone.value.track === null) await this.captures.microphone.start();
    this.microphoneOpen.value = on && this.microphone.value.track !== null;
  }

  /** Rejects when the browser could not capture; a user who cancels is no failure. */
  async setContent(on: boolean): Promise<void> {
    this.content.value?.stop();
    this.content.value = null;
    if (!on) return;
    const track = await devices.acquireScreen();
    if (track === null) return;
    track.onended = () => {
      if (this.content.value === track) this.content.value = null;
    };
    this.content.value = track;
  }

  stop(): void {
    this.captures.camera.stop();
    this.captures.microphone.stop();
    this.content.value?.stop();
    this.content.value = null;
    this.microphoneOpen.value = false;
  }

  private async devicesChanged(): Promise<void> {
    const lists = await devices.listDevices();
    this.lists.value = lists;
    await this.captures.camera.devicesChanged(lists.cameras);
    await this.captures.microphone.devicesChanged(lists.microphones);
  }

  private watchLevel(track: MediaStreamTrack | null): (() => void) | undefined {
    this.level.value = QUIET;
    if (track === null) return undefined;
    try {
      return meter(track, level => {
        this.level.value = level;
      });
    } catch {
      // A machine without a sound output may have no audio context; the microphone works without a meter.
      return undefined;
    }
  }
}
