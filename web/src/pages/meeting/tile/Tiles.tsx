import { useEffect, useRef } from 'preact/hooks';
import { useSession } from '../../../hooks/context';
import { words } from '../../../i18n';
import { pictureKey } from '../../../meeting/tiles';
import { Tile } from './Tile';
import './tiles.css';

/** Tells the layout how much room there is. */
function useArea() {
  const { screen } = useSession();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      screen.area.value = { width: element.clientWidth, height: element.clientHeight };
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [screen]);
  return box;
}

/** Every picture on view, where the layout has put it. */
export function Tiles() {
  const { placed } = useSession().screen;
  const box = useArea();
  return (
    <main class="tiles" ref={box} aria-label={words.value.meetingArea} data-testid="tiles">
      {placed.value.map(place => (
        <Tile key={pictureKey(place.picture)} place={place} />
      ))}
    </main>
  );
}
