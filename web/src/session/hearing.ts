import { effect, type ReadonlySignal, signal } from '@preact/signals';
import type { Choices } from '../media/choices';
import type { MediaConnection } from '../media/connection';
import { Playback } from '../media/playback';

/** What this site hears of the others, on the loudspeaker that was chosen. */
export class Hearing {
  /** The browser plays nothing before a click. */
  readonly blocked = signal(false);
  private readonly playback = new Playback(blocked => {
    this.blocked.value = blocked;
  });

  constructor(choices: ReadonlySignal<Choices>) {
    effect(() => this.playback.useSpeaker(choices.value.speaker));
  }

  play(media: MediaConnection): void {
    this.playback.play([...media.slots.map(slot => slot.audio), ...media.audioSlots]);
  }

  /** From a click, when the browser refused to play. */
  listen(): void {
    void this.playback.start();
  }

  stop(): void {
    this.playback.stop();
    this.blocked.value = false;
  }
}
