import { signal } from '@preact/signals';
import { acquireScreen } from '../media/devices';
import { canMix } from '../media/mix';

/** How presenting began: a machine may be unable to send the sound. */
type Shown = 'as_wanted' | 'without_sound';

/** What this device presents: the screen, a window or a tab. */
export class Presenting {
  readonly video = signal<MediaStreamTrack | null>(null);
  /** Of a film, for example; null where the user, the browser or the machine does not give it. */
  readonly sound = signal<MediaStreamTrack | null>(null);

  /** Rejects when the browser could not capture; a user who cancels is no failure. */
  async set(on: boolean): Promise<Shown> {
    this.stop();
    const presented = on ? await acquireScreen() : null;
    if (presented === null) return 'as_wanted';
    const { video, sound } = presented;
    // `ended` comes from the browser's own button, or when the tab is closed; never from our own `stop`.
    video.onended = () => {
      if (this.video.value === video) this.stop();
    };
    this.video.value = video;
    if (sound === null) return 'as_wanted';
    if (!canMix()) {
      sound.stop();
      return 'without_sound';
    }
    sound.onended = () => {
      if (this.sound.value === sound) this.sound.value = null;
    };
    this.sound.value = sound;
    return 'as_wanted';
  }

  stop(): void {
    this.video.value?.stop();
    this.sound.value?.stop();
    this.video.value = null;
    this.sound.value = null;
  }
}
