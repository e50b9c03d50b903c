import type { LucideIcon } from 'lucide-preact';
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
import type { Panel } from './Meeting';

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
