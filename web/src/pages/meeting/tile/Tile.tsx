import { Headphones, Mic, MicOff, MonitorUp, VideoOff, WifiOff } from 'lucide-preact';
import { useMsSince } from '../../../hooks/meeting';
import { useTile, useTileStream } from '../../../hooks/tile';
import { useVideo } from '../../../hooks/video';
import { words } from '../../../i18n';
import { elapsed } from '../../../i18n/format';
import { fills, type Placed } from '../../../meeting/layout';
import type { TileModel } from '../../../meeting/tileModel';
import { LinkLight } from '../../../ui/LinkLight';
import { Limited } from './Limited';
import { TileMenu } from './TileMenu';
import { Waiting } from './Waiting';
import './tile.css';

function MicrophoneIcon({ tile }: { tile: TileModel }) {
  const t = words.value;
  const Icon = tile.microphone === 'on' ? Mic : MicOff;
  return (
    <span class="tile-mic" data-microphone={tile.microphone}>
      <Icon aria-hidden="true" />
      <span class="sr-only">{t.microphoneState[tile.microphone]}</span>
      {tile.microphone === 'muted_by_chair' ? <span class="tile-mic-word">{t.mutedByChairShort}</span> : null}
    </span>
  );
}

/** For how long the others have been without it. */
function Lost({ sinceMs }: { sinceMs: number | null }) {
  const forMs = useMsSince(sinceMs);
  return (
    <p class="tile-state lost" data-testid="lost">
      <WifiOff aria-hidden="true" />
      {words.value.stateLost(elapsed(forMs))}
    </p>
  );
}

/** By this device's own choice, which the page says once and not on every tile. */
const Unseen = () => (
  <p class="tile-state" data-testid="unseen">
    <Headphones aria-hidden="true" />
  </p>
);

/** What stands where there is no frame, or over the last one. */
function State({ tile, shown }: { tile: TileModel; shown: boolean }) {
  const t = words.value;
  if (tile.presence === 'lost') return <Lost sinceMs={tile.sinceMs} />;
  if (tile.presence === 'joining') return <p class="tile-state">{t.stateJoining}</p>;
  if (tile.isYou ? !shown : tile.noFrame === 'camera_off')
    return (
      <p class="tile-state">
        <VideoOff aria-hidden="true" />
        {t.cameraIsOff}
      </p>
    );
  if (shown) return null;
  return tile.noFrame === 'audio_only' ? <Unseen /> : <Waiting limit={tile.limit} />;
}

function NamePlate({ tile }: { tile: TileModel }) {
  const t = words.value;
  return (
    <div class="tile-plate">
      {tile.kind === 'camera' ? <MicrophoneIcon tile={tile} /> : <MonitorUp aria-hidden="true" />}
      <span class={tile.isChair ? 'tile-name chair' : 'tile-name'}>
        {tile.kind === 'content' ? t.content(tile.name) : tile.name}
      </span>
      {tile.isChair ? <span class="badge gold">{t.chair}</span> : null}
      {tile.isYou ? <span class="tile-you">({t.you})</span> : null}
    </div>
  );
}

function classes(tile: TileModel, place: Placed, frame: boolean, stale: boolean): string {
  const names = ['tile', place.role];
  if (tile.speaking) names.push('speaking');
  if (tile.presence === 'lost') names.push('is-lost');
  if (frame) names.push('has-frame');
  if (stale) names.push('is-stale');
  return names.join(' ');
}

export function Tile({ place }: { place: Placed }) {
  const tile = useTile(place.source);
  return tile === null ? null : <ShownTile tile={tile} place={place} />;
}

function ShownTile({ tile, place }: { tile: TileModel; place: Placed }) {
  const t = words.value;
  const { element, shown, size } = useVideo(useTileStream(tile));
  const frame = shown && tile.noFrame === null;
  const stale = frame && !tile.isYou && tile.slot < 0;
  const whole = tile.kind === 'content' || !fills(size, place) ? 'whole' : '';
  const mirrored = tile.kind === 'camera' && tile.isYou ? 'mirrored' : '';
  return (
    <article
      class={classes(tile, place, frame, stale)}
      style={{
        width: `${place.width}px`,
        height: `${place.height}px`,
        transform: `translate(${place.x}px, ${place.y}px)`,
      }}
      aria-label={tile.kind === 'content' ? t.content(tile.name) : tile.name}
      data-testid="tile"
      data-site={tile.site}
      data-kind={tile.kind}
      data-slot={tile.slot}
      data-presence={tile.presence}
    >
      <video
        ref={element}
        class={`${whole} ${mirrored}`}
        muted
        playsInline
        autoplay
        aria-hidden="true"
        tabIndex={-1}
      />
      <State tile={tile} shown={frame && !stale} />
      {frame && !stale && tile.limit !== null ? <Limited limit={tile.limit} video={element} /> : null}
      <div class="tile-top">
        {tile.onBigScreen ? <span class="badge gold">{t.onBigScreen}</span> : null}
        {tile.speaking ? <span class="badge green">{t.speaking}</span> : null}
        <span class="spring" />
        {tile.grade === null ? null : (
          <LinkLight grade={tile.grade} lossPercent={tile.lossPercent} rttMs={tile.rttMs} />
        )}
        <TileMenu tile={tile} source={place.source} />
      </div>
      <NamePlate tile={tile} />
    </article>
  );
}
