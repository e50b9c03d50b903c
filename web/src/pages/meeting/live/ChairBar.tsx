import { Lock, LockOpen, Mic, MicOff, PhoneOff } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { useActs, useMeeting } from '../../../hooks/meeting';
import { words } from '../../../i18n';
import { Confirm } from '../../../ui/Confirm';
import { ControlButton } from './ControlButton';

function MicrophoneControls() {
  const { may, act, reachable } = useActs();
  const t = words.value;
  return (
    <>
      {may('mute_all') ? (
        <ControlButton
          icon={MicOff}
          label={t.muteAll}
          testid="mute-all"
          disabled={!reachable}
          onClick={() => act({ kind: 'mute_all' })}
        />
      ) : null}
      {may('allow_unmute_all') ? (
        <ControlButton
          icon={Mic}
          label={t.allowUnmuteAll}
          testid="allow-unmute-all"
          disabled={!reachable}
          onClick={() => act({ kind: 'allow_unmute_all' })}
        />
      ) : null}
    </>
  );
}

function LockControl() {
  const { may, act, reachable } = useActs();
  const t = words.value;
  const locked = useMeeting()?.locked ?? false;
  if (!may('lock')) return null;
  return (
    <ControlButton
      icon={locked ? LockOpen : Lock}
      label={locked ? t.unlock : t.lock}
      testid="lock"
      disabled={!reachable}
      tone={locked ? 'on' : undefined}
      onClick={() => act({ kind: 'lock', locked: !locked })}
    />
  );
}

function EndControl() {
  const { may, act, reachable } = useActs();
  const [asking, ask] = useState(false);
  const t = words.value;
  if (!may('end')) return null;
  return (
    <>
      <ControlButton
        icon={PhoneOff}
        label={t.end}
        testid="end"
        tone="danger"
        disabled={!reachable}
        onClick={() => ask(true)}
      />
      {asking ? (
        <Confirm
          title={t.endQuestion}
          text={t.endText}
          yes={t.end}
          onYes={() => act({ kind: 'end' })}
          onClose={() => ask(false)}
        />
      ) : null}
    </>
  );
}

/** Acts on all sites; a button is there only when the server allows its act. */
export function ChairBar() {
  const { may } = useActs();
  const shown = (['mute_all', 'allow_unmute_all', 'lock', 'end'] as const).some(kind => may(kind));
  if (!shown) return null;
  return (
    <nav class="controls chair-bar" aria-label={words.value.chairBar}>
      <MicrophoneControls />
      <LockControl />
      <EndControl />
    </nav>
  );
}
