import type { MicrophoneState } from '../protocol/gen';

/** The large sign that shows a room whether it is heard. */
export type Banner =
  | 'on_air'
  | 'film_on_air'
  | 'mic_off'
  | 'muted_by_chair'
  | 'no_microphone'
  | 'silenced'
  | 'reconnecting'
  | 'still_sending'
  | 'film_still_sending';

export interface BannerInput {
  online: boolean;
  /** Sound and video flow, whether or not the server can be reached. */
  mediaUp: boolean;
  hasMicrophone: boolean;
  /** Something outside of the page keeps the microphone silent. */
  silenced: boolean;
  /** What this page is sending. */
  microphoneOpen: boolean;
  /** The sound of what is presented is sent, too. */
  film: boolean;
  /** What the bridge reports of this site, or reported last. */
  bridge: MicrophoneState | null;
}

/**
 * The words for a page that is on its way in or back. Where sound and video flow nobody is told that the line is lost:
 * what is missing are the server's messages, and with them what the buttons do.
 */
export function comingWord(
  progress: 'connecting' | 'reconnecting',
  mediaUp: boolean,
): 'connecting' | 'reconnecting' | 'controlsAway' {
  if (progress === 'connecting') return 'connecting';
  return mediaUp ? 'controlsAway' : 'reconnecting';
}

/** What the bridge reports counts: a site that cannot be heard is never shown that it is on air. */
export function bannerOf(input: BannerInput): Banner {
  const voice = input.hasMicrophone && input.microphoneOpen && !input.silenced;
  if (!input.online) return offline(input, voice);
  if (input.bridge === 'muted_by_chair') return 'muted_by_chair';
  if (voice) return 'on_air';
  if (input.film) return 'film_on_air';
  if (!input.hasMicrophone) return 'no_microphone';
  return input.microphoneOpen ? 'silenced' : 'mic_off';
}

/** Media needs no WebSocket: where only the server's messages are missing, the others go on hearing the room. */
function offline({ mediaUp, bridge, film }: BannerInput, voice: boolean): Banner {
  if (!mediaUp || bridge !== 'on') return 'reconnecting';
  if (voice) return 'still_sending';
  return film ? 'film_still_sending' : 'reconnecting';
}
