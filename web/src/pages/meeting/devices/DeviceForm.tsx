import { Volume2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { useSession } from '../../../hooks/context';
import { words } from '../../../i18n';
import type { Choices } from '../../../media/choices';
import { playTone } from '../../../media/tone';
import { DeviceProblems } from './DeviceProblems';
import { LevelMeter } from './LevelMeter';
import { Switch } from './Switch';
import './deviceForm.css';

type DeviceKey = 'camera' | 'microphone' | 'speaker';

function Select({ of, label, devices }: { of: DeviceKey; label: string; devices: MediaDeviceInfo[] }) {
  const { local } = useSession();
  const t = words.value;
  return (
    <label class="field">
      <span>{label}</span>
      <select
        class="field-box"
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
