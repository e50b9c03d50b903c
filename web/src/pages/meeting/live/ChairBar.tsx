import { Lock, LockOpen, Mic, MicOff, PhoneOff } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { useSession } from '../../../hooks/context';
import { words } from '../../../i18n';
import { Confirm } from '../../../ui/Confirm';
import { ControlButton } from './ControlButton';

function MicrophoneControls() {
  const session = useSession();
  const t = words.value;
  return (
    <>
      {session.may('mute_all') ? (
        <ControlButton
          icon={MicOff}
          label={t.muteAll}
          testid="mute-all"
          onClick={() => session.act({ kind: 'mute_all' })}
        />
      ) : null}
      {session.may('allow_unmute_all') ? (
        <ControlButton
          icon={Mic}
          label={t.allowUnmuteAll}
          testid="allow-unmute-all"
          onClick={() => session.act({ kind: 'allow_unmute_all' })}
        />
      ) : null}
    </>
  );
}

function LockControl() {
  const session = useSession();
  const t = words.value;
  const locked = session.state.value.meeting?.locked ?? false;
  if (!session.may('lock')) return null;
  return (
    <ControlButton
      icon={locked ? LockOpen : Lock}
      label={locked ? t.unlock : t.lock}
      testid="lock"
      tone={locked ? 'on' : undefined}
      onClick={() => session.act({ kind: 'lock', locked: !locked })}
    />
  );
}

function EndControl() {
  const session = useSession();
  const [asking, ask] = useState(false);
  const t = words.value;
  if (!session.may('end')) return null;
  return (
    <>
      <ControlButton icon={PhoneOff} label={t.end} testid="end" tone="danger" onClick={() => ask(true)} />
      {asking ? (
        <Confirm
          title={t.endQuestion}
          text={t.endText}
          yes={t.end}
          onYes={() => session.act({ kind: 'end' })}
          onClose={() => ask(false)}
        />
      ) : null}
    </>
  );
}

/** Acts on all sites; a button is there only when the server allows its act. */
export function ChairBar() {
  const session = useSession();
  const shown = (['mute_all', 'allow_unmute_all', 'lock', 'end'] as const).some(kind => session.may(kind));
  if (!shown) return null;
  return (
    <nav class="controls chair-bar" aria-label={words.value.chairBar}>
      <MicrophoneControls />
      <LockControl />
      <EndControl />
    </nav>
  );
}
