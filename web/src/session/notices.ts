import { signal } from '@preact/signals';
import type { Notice } from '../meeting/state';

const SHOWN_MS = 7000;
const AT_ONCE = 4;

/** What is shown to people once; each notice disappears by itself. */
export class Notices {
  readonly shown = signal<{ id: number; notice: Notice }[]>([]);
  private id = 0;

  tell(notice: Notice): void {
    this.id += 1;
    const entry = { id: this.id, notice };
    this.shown.value = [...this.shown.value, entry].slice(-AT_ONCE);
    setTimeout(() => {
      this.shown.value = this.shown.value.filter(one => one !== entry);
    }, SHOWN_MS);
  }
}
