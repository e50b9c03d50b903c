import { Volume2 } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useSession } from '../../../hooks/context';
import { useShortcuts } from '../../../hooks/useShortcuts';
import { words } from '../../../i18n';
import { troubleWord } from '../../../meeting/refusal';
import { pictureKey } from '../../../meeting/tiles';
import { Confirm, Dialog } from '../../../ui/Dialog';
import { DeviceForm, DirectSwitch } from '../devices/DeviceForm';
import { DeviceProblems } from '../devices/DeviceProblems';
import { Help } from '../dialogs/Help';
import { SitesPanel } from '../dialogs/SitesPanel';
import { Tile } from '../tile/Tile';
import { Banner } from './Banner';
import { ChairBar } from './ChairBar';
import { Controls } from './Controls';
import { Notices } from './Notices';
import { TopBar } from './TopBar';
import { UnderTiles } from './UnderTiles';

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
  const { placed } = useSession().screen;
  const box = useArea();
  return (
    <main class="tiles" ref={box} aria-label={words.value.meetingArea} data-testid="tiles">
      {placed.value.map(place => (
        <Tile key={pictureKey(place.picture)} place={place} />
      ))}
    </main>
  );
}

/** What has failed once may have been the line for a moment; what fails again has a sentence. */
const WORTH_A_SENTENCE = 2;

/** The attempts are for the eye; a screen reader says once that the line is down, and why. */
function Reconnecting() {
  const { value } = useSession().progress;
  const t = words.value;
  const word = value.kind === 'online' ? null : troubleWord(value.trouble);
  return (
    <div role="status">
      {value.kind === 'online' ? null : (
        <p class="reconnecting" data-testid="reconnecting" data-progress={value.kind}>
          {value.kind === 'connecting' ? t.connecting : t.reconnecting}
          {value.attempt > 0 ? <span aria-hidden="true"> {t.attempt(value.attempt)}</span> : null}
          {word !== null && value.attempt >= WORTH_A_SENTENCE ? <small>{t.trouble[word]}</small> : null}
        </p>
      )}
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
          <DirectSwitch />
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
  const session = useSession();
  const [panel, open] = useState<Panel | null>(null);
  useShortcuts(session, open);
  return (
    <div class="meeting" data-online={session.progress.value.kind === 'online'}>
      <TopBar open={open} />
      <Tiles />
      <UnderTiles open={open} />
      <DeviceProblems closable />
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
