import { X } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { words } from '../i18n';
import { AboveThePage } from './AboveThePage';
import './dialog.css';

interface Props {
  title: string;
  onClose(): void;
  children: ComponentChildren;
  side?: boolean;
  testid?: string;
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
