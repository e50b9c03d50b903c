import { useEffect } from 'preact/hooks';
import { useSession } from './context';
import { toggleFullscreen } from './fullscreen';

/** Single keys, but never while the user types, chooses, or holds Ctrl for the browser. */
function isForPage(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return false;
  const target = event.target;
  const typing = target instanceof HTMLElement && target.closest('input, select, textarea, dialog') !== null;
  return !typing;
}

/** Keys that do what a button does; `help` shows them. */
export function useShortcuts(help: () => void): void {
  const session = useSession();
  useEffect(() => {
    const keys: Record<string, () => void> = {
      m: () => void session.sending.toggleMicrophone(),
      v: () => void session.sending.toggleCamera(),
      s: () => void session.sending.toggleContent(),
      f: toggleFullscreen,
      arrowleft: () => session.screen.turn(-1),
      arrowright: () => session.screen.turn(1),
      '?': help,
    };
    const press = (event: KeyboardEvent) => {
      if (isForPage(event)) keys[event.key.toLowerCase()]?.();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [session]);
}
