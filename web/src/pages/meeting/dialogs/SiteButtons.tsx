import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useActs, useSiteActions } from '../../../hooks/meeting';
import { words } from '../../../i18n';
import type { SiteAction } from '../../../meeting/siteActions';
import type { SiteId } from '../../../protocol/gen';
import { Confirm } from '../../../ui/Confirm';
import './siteButtons.css';

interface ButtonsProps {
  site: SiteId;
  name: string;
  done(): void;
  /** Further buttons; the grave acts stay last. */
  children?: ComponentChildren;
}

/** The acts on one site as buttons, with the question before the grave ones. */
export function SiteButtons({ site, name, done, children }: ButtonsProps) {
  const { act, reachable } = useActs();
  const [asking, setAsking] = useState<SiteAction | null>(null);
  const t = words.value;
  const carryOut = (entry: SiteAction) => {
    act(entry.action);
    done();
  };
  const actions = useSiteActions(site);
  const button = (entry: SiteAction) => (
    <button
      key={entry.word}
      type="button"
      class={entry.confirm ? 'button menu-item danger-text' : 'button menu-item'}
      data-testid={`act-${entry.action.kind}`}
      data-site={site}
      disabled={!reachable}
      onClick={() => (entry.confirm ? setAsking(entry) : carryOut(entry))}
    >
      {t[entry.word]}
    </button>
  );
  return (
    <>
      {actions.filter(entry => !entry.confirm).map(button)}
      {children}
      {actions.filter(entry => entry.confirm).map(button)}
      {asking === null ? null : (
        <Confirm
          title={t.removeQuestion(name)}
          text={t.removeText}
          yes={t.remove}
          onYes={() => carryOut(asking)}
          onClose={() => setAsking(null)}
        />
      )}
    </>
  );
}
