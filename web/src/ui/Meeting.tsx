import { Volume2 } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { words } from '../i18n';
import { pictureKey } from '../meeting/tiles';
import { Banner } from './Banner';
import { ChairBar } from './ChairBar';
import { Controls } from './Controls';
import { useSession } from './context';
import { DeviceForm } from './DeviceForm';
import { Confirm, Dialog } from './Dialog';
import { Help } from './Help';
import { Notices } from './Notices';
import { SitesPanel } from './SitesPanel';
import { Tile } from './Tile';
import { TopBar } from './TopBar';
import { useShortcuts } from './useShortcuts';

export type Panel = 'devices' | 'help' | 'leave' | 'sites';

/** Tells the layout how much room there is. */
function useArea() {
  const { screen } = useSession();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      screen.area.value = { width: element.clientWidth, height: element.clientHeight };
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [screen]);
  return box;
}

function Tiles() {
  const { arrangement } = useSession().screen;
  const box = useArea();
  return (
    <main class="tiles" ref={box} aria-label={words.value.meetingArea} data-testid="tiles">
      <div style={{ height: `${arrangement.value.height}px` }}>
        {arrangement.value.placed.map(place => (
          <Tile key={pictureKey(place.picture)} place={place} />
        ))}
      </div>
    </main>
  );
}

/** Invited and not here: a quiet line, so that those who are here have the room. */
function Absent() {
  const sites = useSession().state.value.meeting?.sites.filter(site => site.presence === 'away') ?? [];
  if (sites.length === 0) return null;
  return (
    <section class="absent" data-testid="absent" aria-label={words.value.notHere}>
      <span>{words.value.notHere}</span>
      {sites.map(site => (
        <span key={site.id} class="absent-site" data-site={site.id}>
          {site.name}
        </span>
      ))}
    </section>
  );
}

function Reconnecting() {
  const { progress } = useSession();
  const t = words.value;
  if (progress.value.kind === 'online') return null;
  return (
    <div class="reconnecting" role="status" data-testid="reconnecting" data-progress={progress.value.kind}>
      {progress.value.kind === 'connecting' ? t.connecting : t.reconnecting(progress.value.attempt)}
    </div>
  );
}

function ListenButton() {
  const session = useSession();
  const t = words.value;
  if (!session.soundBlocked.value) return null;
  return (
    <button type="button" class="listen" data-testid="listen" onClick={() => session.listen()}>
      <Volume2 aria-hidden="true" />
      <strong>{t.tapToListen}</strong>
      <small>{t.tapToListenHint}</small>
    </button>
  );
}

function OpenPanel({ panel, close }: { panel: Panel; close(): void }) {
  const session = useSession();
  const t = words.value;
  switch (panel) {
    case 'devices':
      return (
        <Dialog title={t.devices} onClose={close} testid="devices-dialog">
          <DeviceForm />
        </Dialog>
      );
    case 'help':
      return <Help onClose={close} />;
    case 'sites':
      return <SitesPanel onClose={close} />;
    case 'leave':
      return (
        <Confirm
          title={t.leaveQuestion}
          text={t.leaveText}
          yes={t.leave}
          onYes={() => session.leave()}
          onClose={close}
        />
      );
  }
}

export function Meeting() {
  const [panel, open] = useState<Panel | null>(null);
  useShortcuts(useSession(), open);
  return (
    <div class="meeting">
      <TopBar open={open} />
      <Tiles />
      <Absent />
      <footer class="bottom-bar">
        <Banner />
        <ChairBar />
        <Controls open={open} />
      </footer>
      <Reconnecting />
      <ListenButton />
      <Notices />
      {panel === null ? null : <OpenPanel panel={panel} close={() => open(null)} />}
    </div>
  );
}
