import { useState } from 'preact/hooks';
import { useShortcuts } from '../../../hooks/shortcuts';
import { useMediaUp, useProgress } from '../../../hooks/visit';
import { DeviceProblems } from '../devices/DeviceProblems';
import { OpenPanel, type Panel } from '../dialogs/OpenPanel';
import { Tiles } from '../tile/Tiles';
import { Banner } from './Banner';
import { ChairBar } from './ChairBar';
import { Controls } from './Controls';
import { Hearing } from './Hearing';
import { ListenButton } from './ListenButton';
import { Notices } from './Notices';
import { Reconnecting } from './Reconnecting';
import { TopBar } from './TopBar';
import { UnderTiles } from './UnderTiles';
import './meeting.css';

export function Meeting() {
  const progress = useProgress();
  const media = useMediaUp() ? 'up' : 'down';
  const [panel, open] = useState<Panel | null>(null);
  useShortcuts(() => open('help'));
  return (
    <div class="meeting" data-online={progress.kind === 'online'} data-media={media}>
      <TopBar open={open} />
      <Hearing />
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
