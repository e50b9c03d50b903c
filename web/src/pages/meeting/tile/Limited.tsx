import type { RefObject } from 'preact';
import { useFrameAge } from '../../../hooks/frameAge';
import { useLasting } from '../../../hooks/lasting';
import { words } from '../../../i18n';
import type { TileLimit } from '../../../meeting/tileModel';

/** A picture that is only just coming is no news. */
const LASTS_MS = 2000;
/** An older picture than this shows its age. */
const OLD_MS = 3000;
const MINUTE_MS = 60_000;

/** In words: digits alone would be read as a time of day. */
function ageOf(ms: number): string {
  const { seconds, minutes } = words.value.pictureAge;
  return ms < MINUTE_MS ? seconds(Math.floor(ms / 1000)) : minutes(Math.floor(ms / MINUTE_MS));
}

/** What a tile shows less of, whose doing that is, and how old its picture is. */
export function Limited({ limit, video }: { limit: TileLimit; video: RefObject<HTMLVideoElement> }) {
  const t = words.value;
  const shows = useLasting(limit.shows, LASTS_MS);
  const age = useFrameAge(video, limit.shows === 'stills' || limit.shows === 'held');
  if (shows === null) return null;
  return (
    <p class="tile-limit" data-testid="limit" data-shows={shows} data-by={limit.by}>
      <span>{t.lessShown[shows]}</span>
      {age !== null && age > OLD_MS ? <span class="tile-age">{ageOf(age)}</span> : null}
      <span class="tile-why">{t.lessBecause[limit.by]}</span>
    </p>
  );
}
