import {
  LayoutGrid,
  LogOut,
  Maximize,
  Mic,
  MicOff,
  Minimize,
  MonitorUp,
  MonitorX,
  PanelRight,
  Settings,
  Video,
  VideoOff,
} from 'lucide-preact';
import { useSession } from '../../../hooks/context';
import { toggleFullscreen, useFullscreen } from '../../../hooks/useFullscreen';
import { words } from '../../../i18n';
import { canCaptureScreen } from '../../../media/devices';
import type { Panel } from '../dialogs/OpenPanel';
import { ControlButton } from './ControlButton';
import './bottomBar.css';

function ShareControl() {
  const session = useSession();
  const t = words.value;
  const sharing = session.local.content.value !== null;
  if (!session.may('share_content') || !canCaptureScreen()) return null;
  return (
    <ControlButton
      icon={sharing ? MonitorX : MonitorUp}
      label={sharing ? t.stopShare : t.shareShort}
      name={sharing ? t.stopShare : t.share}
      testid="share"
      shortcut="S"
      tone={sharing ? 'on' : undefined}
      onClick={() => void session.toggleContent()}
    />
  );
}

function MediaControls() {
  const session = useSession();
  const { local, own } = session;
  const t = words.value;
  const open = local.microphoneOpen.value;
  const camera = local.camera.value.track !== null;
  return (
    <>
      <ControlButton
        icon={open ? Mic : MicOff}
        label={open ? t.micOffAction : t.micOn}
        testid="mic"
        shortcut="M"
        tone={open ? 'on' : 'off'}
        disabled={own.value?.microphone === 'muted_by_chair'}
        onClick={() => void session.toggleMicrophone()}
      />
      <ControlButton
        icon={camera ? Video : VideoOff}
        label={camera ? t.cameraOff : t.cameraOn}
        testid="camera"
        shortcut="V"
        tone={camera ? 'on' : 'off'}
        onClick={() => void session.toggleCamera()}
      />
      <ShareControl />
    </>
  );
}

/** Not there while it could change nothing: the chair has chosen for all, or there is one picture. */
function LayoutControl() {
  const { screen } = useSession();
  const t = words.value;
  const to = screen.otherLayout.value;
  if (to === null) return null;
  const label = to === 'grid' ? t.layoutGrid : t.layoutStage;
  return (
    <ControlButton
      icon={to === 'grid' ? LayoutGrid : PanelRight}
      label={label}
      name={`${t.layout}: ${label}`}
      testid="layout"
      onClick={() => screen.changeLayout()}
    />
  );
}

export function Controls({ open }: { open(panel: Panel): void }) {
  const t = words.value;
  const full = useFullscreen();
  return (
    <nav class="controls" aria-label={t.controls}>
      <MediaControls />
      <LayoutControl />
      <ControlButton icon={Settings} label={t.devices} testid="devices" onClick={() => open('devices')} />
      {document.fullscreenEnabled ? (
        <ControlButton
          icon={full ? Minimize : Maximize}
          label={full ? t.fullscreenExit : t.fullscreen}
          testid="fullscreen"
          shortcut="F"
          onClick={toggleFullscreen}
        />
      ) : null}
      <ControlButton
        icon={LogOut}
        label={t.leave}
        testid="leave"
        tone="leave"
        onClick={() => open('leave')}
      />
    </nav>
  );
}
