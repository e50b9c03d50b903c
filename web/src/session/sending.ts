import { computed, effect, type ReadonlySignal } from '@preact/signals';
import type { MediaConnection } from '../media/connection';
import { canCaptureScreen, flows } from '../media/devices';
import type { Notice } from '../meeting/state';
import type { ActionKind, ClientMessage, SiteView } from '../protocol/gen';
import type { LocalMedia } from './localMedia';

/** What surrounds the devices while a meeting goes on. */
export interface SendingContext {
  media: ReadonlySignal<MediaConnection | null>;
  /** This site, as the server describes it. */
  own: ReadonlySignal<SiteView | null>;
  may(kind: ActionKind): boolean;
  send(message: ClientMessage): void;
  tell(notice: Notice): void;
}

/** What this site sends: its devices on the connection, their switches, and what the bridge receives about them. */
export class Sending {
  constructor(
    private readonly local: LocalMedia,
    private readonly context: SendingContext,
  ) {
    const { media, own } = context;
    const mutedByChair = computed(() => own.value?.microphone === 'muted_by_chair');
    effect(() => void media.value?.sendMicrophone(local.sound.value).catch(() => undefined));
    effect(() => void media.value?.sendCamera(local.camera.value.track).catch(() => undefined));
    effect(() => void media.value?.sendContent(local.content.value).catch(() => undefined));
    effect(() => {
      // What the chair has closed and allows again, a film that still runs opens; a microphone its room does.
      void mutedByChair.value;
      this.tellBridge();
    });
  }

  async toggleMicrophone(): Promise<void> {
    if (this.context.own.value?.microphone === 'muted_by_chair') return;
    await this.local.setMicrophone(!this.local.microphoneOpen.value);
  }

  async toggleCamera(): Promise<void> {
    await this.local.setCamera(this.local.camera.value.track === null);
  }

  async toggleContent(): Promise<void> {
    const { may, tell } = this.context;
    if (!may('share_content') || !canCaptureScreen()) return;
    try {
      const shown = await this.local.presenting.set(this.local.content.value === null);
      if (shown === 'without_sound') tell({ kind: 'filmSilent' });
    } catch {
      tell({ kind: 'shareFailed' });
    }
  }

  tellBridge(): void {
    const voice = this.local.microphoneOpen.value && flows(this.local.microphone.value);
    const microphone = voice || this.local.film.value !== null;
    const camera = flows(this.local.camera.value);
    const content = this.local.content.value !== null;
    this.context.send({ type: 'media', microphone, camera, content });
  }
}
