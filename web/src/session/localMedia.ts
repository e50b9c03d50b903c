import { effect, signal } from '@preact/signals';
import { type Choices, loadChoices, saveChoices } from '../media/choices';
import * as devices from '../media/devices';
import { type Level, meter } from '../media/level';
import { mix } from '../media/mix';
import { Capture } from './capture';
import { Presenting } from './presenting';

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
  readonly presenting = new Presenting();
  readonly content = this.presenting.video;
  readonly film = this.presenting.sound;
  /** What the microphone's section sends: the microphone alone, or mixed with the film. */
  readonly sound = signal<MediaStreamTrack | null>(null);
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
    effect(() => this.mixSound(this.microphone.value.track, this.film.value));
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
    // Processing belongs to the capture, so it starts again.
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

  stop(): void {
    this.captures.camera.stop();
    this.captures.microphone.stop();
    this.presenting.stop();
    this.microphoneOpen.value = false;
  }

  /** The microphone itself for as long as there is nothing else: nothing of ours stands in its way. */
  private mixSound(microphone: MediaStreamTrack | null, film: MediaStreamTrack | null) {
    if (film === null) {
      this.sound.value = microphone;
      return undefined;
    }
    const { track, close } = mix(microphone, film);
    this.sound.value = track;
    return close;
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
