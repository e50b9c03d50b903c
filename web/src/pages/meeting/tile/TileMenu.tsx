import { EllipsisVertical } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { usePin } from '../../../hooks/screen';
import { words } from '../../../i18n';
import type { TileModel } from '../../../meeting/tileModel';
import type { VideoSource } from '../../../meeting/tiles';
import { Dialog } from '../../../ui/Dialog';
import { SiteButtons } from '../dialogs/SiteButtons';
import './tileMenu.css';

/** A dialog and no drop-down: it fits beside the smallest tile and under a thumb. */
export function TileMenu({ tile, source }: { tile: TileModel; source: VideoSource }) {
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  const t = words.value;
  const { pinned, toggle } = usePin(source);
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
                  toggle();
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
