import { useRef } from 'preact/hooks';
import { type TileModel, tileModel } from '../meeting/tileModel';
import type { VideoSource } from '../meeting/tiles';
import { useSession } from './context';
import { useTrackStream } from './video';

/** All that a tile shows; null where there is no such site any more. */
export function useTile(source: VideoSource): TileModel | null {
  const { state, audioOnly, wishes } = useSession();
  return tileModel(state.value, source, {
    audioOnly: audioOnly.value,
    assignment: wishes.assignment.value,
  });
}

/**
 * The slot that carries a tile's source, or did so last: until it carries another one its video
 * element keeps the last frame, which is better than nothing.
 */
function useSlot(tile: TileModel): number {
  const { videoSlots } = useSession().state.value;
  const slot = useRef(-1);
  if (tile.slot >= 0) slot.current = tile.slot;
  else if ((videoSlots[slot.current] ?? null) !== null) slot.current = -1;
  return slot.current;
}

/** The stream of a tile: the own device, or the slot that carries the site. */
export function useTileStream(tile: TileModel): MediaStream | null {
  const { local, media } = useSession();
  const track = tile.kind === 'camera' ? local.camera.value.track : local.content.value;
  const own = useTrackStream(track);
  const slot = useSlot(tile);
  if (tile.isYou) return own;
  return tile.noFrame === 'audio_only' ? null : (media.value?.slots[slot]?.video ?? null);
}
