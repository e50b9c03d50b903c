import { words } from '../i18n';
import { Dialog } from './Dialog';

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
