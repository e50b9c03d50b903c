import type { Size } from './encodings';
import { keepPlaying } from './keepPlaying';

/** When the frames of a player have a size, and when it is another one. Older browsers have only one of the two. */
const EVENTS = ['loadedmetadata', 'resize'];

/** Calls `changed` with the size of a player's frames, now and whenever it changes. Returns how to let go. */
export function watchSize(player: HTMLVideoElement, changed: (size: Size) => void): () => void {
  const look = () => {
    const { videoWidth: width, videoHeight: height } = player;
    if (width > 0 && height > 0) changed({ width, height });
  };
  for (const event of EVENTS) player.addEventListener(event, look);
  look();
  return () => {
    for (const event of EVENTS) player.removeEventListener(event, look);
  };
}

/**
 * Follows the size of a track's frames: a phone is turned, a camera goes into another mode. What a track reports of its
 * settings is not the same in all browsers, and no event comes with it: the frames themselves are measured, by a player
 * that is on no page. Returns how to let go.
 */
export function followSize(track: MediaStreamTrack, changed: (size: Size) => void): () => void {
  const player = document.createElement('video');
  player.muted = true;
  player.playsInline = true;
  player.srcObject = new MediaStream([track]);
  const releases = [watchSize(player, changed), keepPlaying(player)];
  void player.play().catch(() => undefined);
  return () => {
    for (const release of releases) release();
    player.srcObject = null;
  };
}
