import { useState } from 'preact/hooks';
import { useSession } from '../../../hooks/context';
import { useShortcuts } from '../../../hooks/useShortcuts';
import { DeviceProblems } from '../devices/DeviceProblems';
import { OpenPanel, type Panel } from '../dialogs/OpenPanel';
import { Tiles } from '../tile/Tiles';
import { Banner } from './Banner';
import { ChairBar } from './ChairBar';
import { Controls } from './Controls';
import { ListenButton } from './ListenButton';
import { Notices } from './Notices';
import { Reconnecting } from './Reconnecting';
import { TopBar } from './TopBar';
import { UnderTiles } from './UnderTiles';
import './meeting.css';

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
