import type { LucideIcon } from 'lucide-preact';

interface Props {
  icon: LucideIcon;
  label: string;
  name?: string;
  testid: string;
  disabled?: boolean;
  shortcut?: string;
  tone?: 'on' | 'off' | 'danger' | 'leave';
  onClick(): void;
}

/**
 * `label` is written below the icon and says what a press does; `name` is what a screen reader says,
 * where longer. A label that changes with the state needs no `aria-pressed`: both would say it twice.
 */
export function ControlButton(props: Props) {
  const { icon: Icon, label, name, testid, tone, disabled, shortcut, onClick } = props;
  const full = name ?? label;
  return (
    <button
      type="button"
      class={tone === undefined ? 'control' : `control ${tone}`}
      data-testid={testid}
      aria-label={full}
      aria-keyshortcuts={shortcut}
      title={shortcut === undefined ? full : `${full} (${shortcut})`}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon aria-hidden="true" />
      <span class="control-label">{label}</span>
    </button>
  );
}
