import { X } from 'lucide-preact';
import { type ComponentChildren, render } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { SessionContext, useSession } from '../hooks/context';
import { words } from '../i18n';

interface Props {
  title: string;
  onClose(): void;
  children: ComponentChildren;
  side?: boolean;
  testid?: string;
}

/**
 * Renders at the end of the page whatever asks for it where: what is shown above everything must not
 * inherit the sizes of a tile or of a row of a list. (`createPortal` is in preact/compat, which also
 * changes how every other element is made.)
 */
function AboveThePage({ children }: { children: ComponentChildren }) {
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

export function Dialog(props: Props) {
  return (
    <AboveThePage>
      <ShownDialog {...props} />
    </AboveThePage>
  );
}

/**
 * A real `<dialog>`: the browser keeps the focus inside, closes it with Escape, and gives the focus back
 * to where it was.
 */
function ShownDialog({ title, onClose, children, side, testid }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const mounted = useRef(true);
  useEffect(() => {
    const dialog = element.current;
    // A press beside it closes it, where the browser knows how.
    dialog?.setAttribute('closedby', 'any');
    dialog?.showModal();
    return () => {
      mounted.current = false;
      dialog?.close();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={side ? 'dialog side' : 'dialog'}
      aria-label={title}
      data-testid={testid}
      onClose={() => mounted.current && onClose()}
    >
      <header>
        <h2>{title}</h2>
        <button
          type="button"
          class="button quiet icon"
          aria-label={words.value.close}
          data-testid="close"
          onClick={onClose}
        >
          <X aria-hidden="true" />
        </button>
      </header>
      {children}
    </dialog>
  );
}

interface Question {
  title: string;
  text: string;
  yes: string;
  onYes(): void;
  onClose(): void;
}

export function Confirm({ title, text, yes, onYes, onClose }: Question) {
  return (
    <Dialog title={title} onClose={onClose} testid="confirm-dialog">
      <p>{text}</p>
      <div class="dialog-buttons">
        <button type="button" class="button" data-testid="cancel" onClick={onClose}>
          {words.value.cancel}
        </button>
        <button
          type="button"
          class="button danger"
          data-testid="confirm"
          onClick={() => {
            onClose();
            onYes();
          }}
        >
          {yes}
        </button>
      </div>
    </Dialog>
  );
}
