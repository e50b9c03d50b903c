import { audioContext } from './level';

/** Whether this machine can mix sounds at all; one without a sound output may not. */
export function canMix(): boolean {
  try {
    audioContext();
    return true;
  } catch {
    return false;
  }
}

export interface Mix {
  track: MediaStreamTrack;
  close(): void;
}

/**
 * The microphone and the sound of what is presented, as the one track that the microphone's section sends: so the
 * chair's mute closes both in the bridge. Each is as loud as it is alone; a microphone that is off is silent here.
 */
export function mix(microphone: MediaStreamTrack | null, film: MediaStreamTrack): Mix {
  const audio = audioContext();
  const out = audio.createMediaStreamDestination();
  const tracks = microphone === null ? [film] : [microphone, film];
  const sources = tracks.map(track => audio.createMediaStreamSource(new MediaStream([track])));
  for (const source of sources) source.connect(out);
  const track = out.stream.getAudioTracks()[0]!;
  return {
    track,
    close: () => {
      for (const source of sources) source.disconnect();
      track.stop();
    },
  };
}
