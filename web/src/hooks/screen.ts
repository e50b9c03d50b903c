import { useEffect, useRef } from 'preact/hooks';
import { sameSource, type VideoSource } from '../meeting/tiles';
import { useSession } from './context';

/** The sources on view with their places, and the box whose size the layout follows. */
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

/** Whether this device keeps a source large, and the switch for it. */
export function usePin(source: VideoSource) {
  const { screen } = useSession();
  const pinned = sameSource(screen.pinned.value, source);
  return { pinned, toggle: () => screen.pin(pinned ? null : source) };
}
