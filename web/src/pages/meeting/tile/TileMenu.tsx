import { EllipsisVertical } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useSession } from '../../../hooks/context';
import { words } from '../../../i18n';
import { type SiteAction, siteActions } from '../../../meeting/siteActions';
import { siteOf } from '../../../meeting/state';
import type { TileModel } from '../../../meeting/tileModel';
import { type Picture, samePicture } from '../../../meeting/tiles';
import type { SiteId } from '../../../protocol/gen';
import { Confirm, Dialog } from '../../../ui/Dialog';

function useSiteActions(site: SiteId): SiteAction[] {
  const { state } = useSession();
  const { meeting, you, actions } = state.value;
  const view = siteOf(meeting, site);
  return view === null ? [] : siteActions(view, site === you, meeting?.big_screen === site, actions);
}

interface ButtonsProps {
  site: SiteId;
  name: string;
  done(): void;
  /** Further buttons; the grave acts stay last. */
  children?: ComponentChildren;
}

/** The acts on one site as buttons, with the question before the grave ones. */
export function SiteButtons({ site, name, done, children }: ButtonsProps) {
  const session = useSession();
  const [asking, setAsking] = useState<SiteAction | null>(null);
  const t = words.value;
  const act = (entry: SiteAction) => {
    session.act(entry.action);
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
      onClick={() => (entry.confirm ? setAsking(entry) : act(entry))}
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
          onYes={() => act(asking)}
          onClose={() => setAsking(null)}
        />
      )}
    </>
  );
}

/** A dialog and no drop-down: it fits beside the smallest tile and under a thumb. */
export function TileMenu({ tile, picture }: { tile: TileModel; picture: Picture }) {
  const session = useSession();
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  const t = words.value;
  const pinned = samePicture(session.screen.pinned.value, picture);
  return (
    <div class="tile-menu">
      <button
        type="button"
        class="button quiet icon"
        aria-label={t.menu(tile.name)}
        aria-haspopup="dialog"
        data-testid="tile-menu"
        onClick={() => setOpen(true)}
      >
        <EllipsisVertical aria-hidden="true" />
      </button>
      {open ? (
        <Dialog title={tile.name} testid="tile-menu-dialog" onClose={close}>
          <div class="menu">
            <SiteButtons site={tile.site} name={tile.name} done={close}>
              <button
                type="button"
                class="button menu-item"
                data-testid="pin"
                onClick={() => {
                  session.screen.pin(pinned ? null : picture);
                  close();
                }}
              >
                {pinned ? t.unpin : t.pin}
              </button>
            </SiteButtons>
          </div>
        </Dialog>
      ) : null}
    </div>
  );
}
