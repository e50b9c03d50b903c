import { useEffect, useRef } from 'preact/hooks';
import { type Picture, samePicture } from '../meeting/tiles';
import { useSession } from './context';

/** The pictures on view with their places, and the box whose size the layout is told. */
export function useTiles() {
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
  return { box, placed: screen.placed.value };
}

/** The layout this device may change to; null: there is nothing to change. */
export function useLayout() {
  const { screen } = useSession();
  return { other: screen.otherLayout.value, change: () => screen.changeLayout() };
}

export function usePages() {
  const { screen } = useSession();
  const { page, pages } = screen.view.value;
  return { page, pages, turn: (by: 1 | -1) => screen.turn(by) };
}

/** Whether this device keeps a picture large, and the switch for it. */
export function usePin(picture: Picture) {
  const { screen } = useSession();
  const pinned = samePicture(screen.pinned.value, picture);
  return { pinned, toggle: () => screen.pin(pinned ? null : picture) };
}
