import { Volume2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { useSession } from '../../../hooks/context';
import { words } from '../../../i18n';
import type { Choices } from '../../../media/choices';
import { playTone } from '../../../media/tone';
import { DeviceProblems } from './DeviceProblems';
import { LevelMeter } from './LevelMeter';

type DeviceKey = 'camera' | 'microphone' | 'speaker';
type SwitchKey = 'echoCancellation' | 'noiseSuppression' | 'direct' | 'cameraOn' | 'microphoneOn';

function Select({ of, label, devices }: { of: DeviceKey; label: string; devices: MediaDeviceInfo[] }) {
  const { local } = useSession();
  const t = words.value;
  return (
    <label class="field">
      <span>{label}</span>
      <select
        data-testid={`select-${of}`}
        value={local.choices.value[of]}
        onChange={event => void local.choose({ [of]: event.currentTarget.value } as Partial<Choices>)}
      >
        <option value="">{t.defaultDevice}</option>
        {devices.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || t.deviceNumber(index + 1)}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Switch({ of, label, hint }: { of: SwitchKey; label: string; hint?: string }) {
  const { local } = useSession();
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        aria-checked={local.choices.value[of]}
        data-testid={`switch-${of}`}
        checked={local.choices.value[of]}
        onChange={event => void local.choose({ [of]: event.currentTarget.checked } as Partial<Choices>)}
      />
      <span class="switch-knob" aria-hidden="true" />
      <span>
        {label}
        {hint === undefined ? null : <small class="hint">{hint}</small>}
      </span>
    </label>
  );
}

/** Can be undone wherever it can be set; a link that says so itself is stronger, and says so. */
export function DirectSwitch() {
  const { link } = useSession();
  const t = words.value;
  if (link.direct) return <p class="hint">{t.linkJoinsDirectly}</p>;
  return <Switch of="direct" label={t.joinDirectly} hint={t.joinDirectlyHint} />;
}

function SpeakerTest() {
  const { local } = useSession();
  const [playing, setPlaying] = useState(false);
  const t = words.value;
  const play = async () => {
    setPlaying(true);
    await playTone(local.choices.value.speaker).catch(() => undefined);
    setPlaying(false);
  };
  return (
    <button
      type="button"
      class="button"
      data-testid="test-speaker"
      disabled={playing}
      onClick={() => void play()}
    >
      <Volume2 aria-hidden="true" />
      {playing ? t.testSpeakerPlaying : t.testSpeaker}
    </button>
  );
}

/** Choice of devices, with the means to know that they work. */
export function DeviceForm() {
  const { lists, microphone } = useSession().local;
  const t = words.value;
  return (
    <div class="devices">
      <DeviceProblems />
      <Select of="camera" label={t.camera} devices={lists.value.cameras} />
      <Select of="microphone" label={t.microphone} devices={lists.value.microphones} />
      {microphone.value.track === null ? null : <LevelMeter />}
      <div class="switches">
        <Switch of="echoCancellation" label={t.echoCancellation} hint={t.echoHint} />
        <Switch of="noiseSuppression" label={t.noiseSuppression} />
      </div>
      <div class="field-with-button">
        <Select of="speaker" label={t.loudspeaker} devices={lists.value.speakers} />
        <SpeakerTest />
      </div>
    </div>
  );
}
