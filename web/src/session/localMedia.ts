import { effect, signal } from '@preact/signals';
import { type Choices, loadChoices, saveChoices } from '../media/choices';
import * as devices from '../media/devices';
import { type Level, meter } from '../media/level';

const NOTHING: devices.Acquired = { track: null, problem: null };
const QUIET: Level = { level: 0, clipping: false };

/** Camera, microphone and screen of this device, as signals. */
export class LocalMedia {
  readonly choices = signal<Choices>(loadChoices());
  readonly lists = signal<devices.DeviceLists>({ cameras: [], microphones: [], speakers: [] });
  readonly camera = signal(NOTHING);
  readonly microphone = signal(NOTHING);
  readonly content = signal<MediaStreamTrack | null>(null);
  readonly microphoneOpen = signal(false);
  readonly level = signal<Level>(QUIET);
  /** True while the browser asks or the device starts. */
  readonly starting = signal(false);
  onDeviceLost: () => void = () => undefined;

  constructor() {
    effect(() => saveChoices(this.choices.value));
    effect(() => {
      const { track } = this.microphone.value;
      if (track !== null) track.enabled = this.microphoneOpen.value || this.testing.value;
    });
    effect(() => this.watchLevel(this.microphone.value.track));
    navigator.mediaDevices?.addEventListener?.('devicechange', () => void this.devicesChanged());
  }

  /** On the entry page the meter listens although nothing is sent. */
  readonly testing = signal(false);

  async open(): Promise<void> {
    this.starting.value = true;
    const choices = this.choices.value;
    if (choices.cameraOn) {
      const both = await devices.acquireBoth(choices);
      this.putCamera(both.camera);
      this.putMicrophone(both.microphone);
    } else {
      this.putMicrophone(await devices.acquireMicrophone(choices));
    }
    this.lists.value = await devices.listDevices();
    this.starting.value = false;
  }

  /** Changes choices and, where it matters, the running devices. */
  async choose(change: Partial<Choices>): Promise<void> {
    this.choices.value = { ...this.choices.value, ...change };
    const keys = Object.keys(change);
    if (keys.some(key => ['microphone', 'echoCancellation', 'noiseSuppression'].includes(key))) {
      // Processing belongs to the capture: the old one must end before the new one begins.
      this.microphone.value.track?.stop();
      this.putMicrophone(await devices.acquireMicrophone(this.choices.value));
    }
    if (keys.includes('camera') && this.camera.value.track !== null) await this.setCamera(true);
  }

  async setCamera(on: boolean): Promise<void> {
    this.camera.value.track?.stop();
    this.putCamera(on ? await devices.acquireCamera(this.choices.value) : NOTHING);
    this.lists.value = await devices.listDevices();
  }

  async setMicrophone(on: boolean): Promise<void> {
    if (on && this.microphone.value.track === null) {
      this.putMicrophone(await devices.acquireMicrophone(this.choices.value));
    }
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
    for (const track of [this.camera.value.track, this.microphone.value.track, this.content.value])
      track?.stop();
    this.camera.value = NOTHING;
    this.microphone.value = NOTHING;
    this.content.value = null;
    this.microphoneOpen.value = false;
  }

  private putCamera(acquired: devices.Acquired): void {
    this.camera.value = acquired;
    const track = acquired.track;
    if (track !== null)
      track.onended = () => this.lost(() => this.camera.value.track === track && this.putCamera(LOST));
  }

  private putMicrophone(acquired: devices.Acquired): void {
    this.microphone.value = acquired;
    const track = acquired.track;
    if (track !== null)
      track.onended = () =>
        this.lost(() => this.microphone.value.track === track && this.putMicrophone(LOST));
  }

  private lost(forget: () => unknown): void {
    forget();
    this.onDeviceLost();
  }

  /** A device that was pulled out and comes back is used again without a question. */
  private async devicesChanged(): Promise<void> {
    this.lists.value = await devices.listDevices();
    if (this.camera.value === LOST && this.lists.value.cameras.length > 0) await this.setCamera(true);
    if (this.microphone.value === LOST && this.lists.value.microphones.length > 0)
      this.putMicrophone(await devices.acquireMicrophone(this.choices.value));
  }

  private watchLevel(track: MediaStreamTrack | null): (() => void) | undefined {
    this.level.value = QUIET;
    if (track === null) return undefined;
    return meter(track, level => {
      this.level.value = level;
    });
  }
}

/** Unplugged while in use; told apart from never opened by identity. */
const LOST: devices.Acquired = { track: null, problem: 'missing' };
