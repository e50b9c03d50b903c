import type { MicrophoneState } from '../protocol/gen';

/** The large sign that tells a room whether it is heard. */
export type Banner = 'on_air' | 'mic_off' | 'muted_by_chair' | 'no_microphone' | 'silenced' | 'reconnecting';

export interface BannerInput {
  online: boolean;
  hasMicrophone: boolean;
  /** Something outside of the page keeps the microphone silent. */
  silenced: boolean;
  /** What this page is sending. */
  microphoneOpen: boolean;
  /** What the bridge says of this site. */
  bridge: MicrophoneState | null;
}

/** The bridge's word counts: a site that cannot be heard is never told that it is on air. */
export function bannerOf(input: BannerInput): Banner {
  if (!input.online) return 'reconnecting';
  if (input.bridge === 'muted_by_chair') return 'muted_by_chair';
  if (!input.hasMicrophone) return 'no_microphone';
  if (!input.microphoneOpen) return 'mic_off';
  return input.silenced ? 'silenced' : 'on_air';
}
