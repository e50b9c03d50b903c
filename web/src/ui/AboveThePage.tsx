import { type ComponentChildren, render } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { SessionContext, useSession } from '../hooks/context';

/**
 * Renders at the end of the page whatever asks for it where: what is shown above everything must not
 * inherit the sizes of a tile or of a row of a list. (`createPortal` is in preact/compat, which also
 * changes how every other element is made.)
 */
export function AboveThePage({ children }: { children: ComponentChildren }) {
  const session = useSession();
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = document.createElement('div');
    place.current = element;
    document.body.append(element);
    return () => {
      render(null, element);
      element.remove();
    };
  }, []);
  useLayoutEffect(() => {
    if (place.current !== null)
      render(<SessionContext.Provider value={session}>{children}</SessionContext.Provider>, place.current);
  });
  return null;
}
