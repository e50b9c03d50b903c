import { words } from '../../../i18n';
import { Dialog } from '../../../ui/Dialog';
import './help.css';

const KEYS = { m: 'M', v: 'V', s: 'S', f: 'F', pages: '← →', help: '?' } as const;

export function Help({ onClose }: { onClose(): void }) {
  const t = words.value;
  return (
    <Dialog title={t.help} onClose={onClose} testid="help-dialog">
      <dl class="help">
        {(Object.keys(KEYS) as (keyof typeof KEYS)[]).map(key => (
          <div key={key}>
            <dt>
              <kbd>{KEYS[key]}</kbd>
            </dt>
            <dd>{t.shortcuts[key]}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
