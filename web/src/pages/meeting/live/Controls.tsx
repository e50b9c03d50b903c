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
import { useCamera, useMicrophone, useSharing } from '../../../hooks/devices';
import { toggleFullscreen, useFullscreen } from '../../../hooks/fullscreen';
import { useLayout } from '../../../hooks/screen';
import { words } from '../../../i18n';
import type { Panel } from '../dialogs/OpenPanel';
import { ControlButton } from './ControlButton';
import './bottomBar.css';

function ShareControl() {
  const { possible, on, toggle } = useSharing();
  const t = words.value;
  if (!possible) return null;
  return (
    <ControlButton
      icon={on ? MonitorX : MonitorUp}
      label={on ? t.stopShare : t.shareShort}
      name={on ? t.stopShare : t.share}
      testid="share"
      shortcut="S"
      tone={on ? 'on' : undefined}
      onClick={toggle}
    />
  );
}

function MediaControls() {
  const microphone = useMicrophone();
  const camera = useCamera();
  const t = words.value;
  return (
    <>
      <ControlButton
        icon={microphone.open ? Mic : MicOff}
        label={microphone.open ? t.micOffAction : t.micOn}
        testid="mic"
        shortcut="M"
        tone={microphone.open ? 'on' : 'off'}
        disabled={microphone.mutedByChair}
        onClick={microphone.toggle}
      />
      <ControlButton
        icon={camera.on ? Video : VideoOff}
        label={camera.on ? t.cameraOff : t.cameraOn}
        testid="camera"
        shortcut="V"
        tone={camera.on ? 'on' : 'off'}
        onClick={camera.toggle}
      />
      <ShareControl />
    </>
  );
}

/** Not there while it could change nothing: the chair has chosen for all, or there is one source. */
function LayoutControl() {
  const { other, change } = useLayout();
  const t = words.value;
  if (other === null) return null;
  const label = other === 'grid' ? t.layoutGrid : t.layoutStage;
  return (
    <ControlButton
      icon={other === 'grid' ? LayoutGrid : PanelRight}
      label={label}
      name={`${t.layout}: ${label}`}
      testid="layout"
      onClick={change}
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
