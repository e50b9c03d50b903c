import { Volume2 } from 'lucide-preact';
import { useChoice, useDevices, useSpeakerTest } from '../../../hooks/devices';
import { words } from '../../../i18n';
import { DeviceProblems } from './DeviceProblems';
import { LevelMeter } from './LevelMeter';
import { Switch } from './Switch';
import './deviceForm.css';

type DeviceKey = 'camera' | 'microphone' | 'speaker';

function Select({ of, label, devices }: { of: DeviceKey; label: string; devices: MediaDeviceInfo[] }) {
  const [chosen, choose] = useChoice(of);
  const t = words.value;
  return (
    <label class="field">
      <span>{label}</span>
      <select
        class="field-box"
        data-testid={`select-${of}`}
        value={chosen}
        onChange={event => choose(event.currentTarget.value)}
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
  const { playing, play } = useSpeakerTest();
  const t = words.value;
  return (
    <button type="button" class="button" data-testid="test-speaker" disabled={playing} onClick={play}>
      <Volume2 aria-hidden="true" />
      {playing ? t.testSpeakerPlaying : t.testSpeaker}
    </button>
  );
}

/** Choice of devices, with the means to know that they work. */
export function DeviceForm() {
  const { cameras, microphones, speakers, hasMicrophone } = useDevices();
  const t = words.value;
  return (
    <div class="devices">
      <DeviceProblems />
      <Select of="camera" label={t.camera} devices={cameras} />
      <Select of="microphone" label={t.microphone} devices={microphones} />
      {hasMicrophone ? <LevelMeter /> : null}
      <div class="switches">
        <Switch of="echoCancellation" label={t.echoCancellation} hint={t.echoHint} />
        <Switch of="noiseSuppression" label={t.noiseSuppression} />
      </div>
      <div class="field-with-button">
        <Select of="speaker" label={t.loudspeaker} devices={speakers} />
        <SpeakerTest />
      </div>
    </div>
  );
}
