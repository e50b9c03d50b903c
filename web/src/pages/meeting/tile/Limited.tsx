import type { RefObject } from 'preact';
import { useFrameAge } from '../../../hooks/frameAge';
import { useLasting } from '../../../hooks/lasting';
import { words } from '../../../i18n';
import { elapsed } from '../../../i18n/format';
import type { TileLimit } from '../../../meeting/tileModel';

/** A picture that is only just coming is no news. */
const LASTS_MS = 2000;
/** An older picture than this shows its age. */
const OLD_MS = 3000;

/** What a tile shows less of, whose doing that is, and how old its picture is. */
export function Limited({ limit, video }: { limit: TileLimit; video: RefObject<HTMLVideoElement> }) {
  const t = words.value;
  const shows = useLasting(limit.shows, LASTS_MS);
  const age = useFrameAge(video, limit.shows === 'stills' || limit.shows === 'held');
  if (shows === null) return null;
  return (
    <p class="tile-limit" data-testid="limit" data-shows={shows} data-by={limit.by}>
      <span>{t.lessShown[shows]}</span>
      {age !== null && age > OLD_MS ? <span class="tile-age">{t.pictureAge(elapsed(age))}</span> : null}
      <span class="tile-why">{t.lessBecause[limit.by]}</span>
    </p>
  );
}
