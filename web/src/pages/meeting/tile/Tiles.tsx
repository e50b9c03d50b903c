import { useTiles } from '../../../hooks/screen';
import { words } from '../../../i18n';
import { sourceKey } from '../../../meeting/tiles';
import { Tile } from './Tile';
import './tiles.css';

/** Every source on view, where the layout has put it. */
export function Tiles() {
  const { box, placed } = useTiles();
  return (
    <main class="tiles" ref={box} aria-label={words.value.meetingArea} data-testid="tiles">
      {placed.map(place => (
        <Tile key={sourceKey(place.source)} place={place} />
      ))}
    </main>
  );
}
