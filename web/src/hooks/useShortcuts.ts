import { useEffect } from 'preact/hooks';
import type { Panel } from '../pages/meeting/dialogs/OpenPanel';
import type { Session } from '../session/session';
import { toggleFullscreen } from './useFullscreen';

/** Single keys, but never while somebody types, chooses, or holds Ctrl for the browser. */
function isForPage(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return false;
  const target = event.target;
  const typing = target instanceof HTMLElement && target.closest('input, select, textarea, dialog') !== null;
  return !typing;
}

export function useShortcuts(session: Session, open: (panel: Panel) => void): void {
  useEffect(() => {
    const keys: Record<string, () => void> = {
      m: () => void session.toggleMicrophone(),
      v: () => void session.toggleCamera(),
      s: () => void session.toggleContent(),
      f: toggleFullscreen,
      arrowleft: () => session.screen.turn(-1),
      arrowright: () => session.screen.turn(1),
      '?': () => open('help'),
    };
    const press = (event: KeyboardEvent) => {
      if (isForPage(event)) keys[event.key.toLowerCase()]?.();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [session]);
}
