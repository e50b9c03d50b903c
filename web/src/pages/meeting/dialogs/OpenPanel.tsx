import { useLeave } from '../../../hooks/visit';
import { words } from '../../../i18n';
import { Confirm } from '../../../ui/Confirm';
import { Dialog } from '../../../ui/Dialog';
import { DeviceForm } from '../devices/DeviceForm';
import { DirectSwitch, Switch } from '../devices/Switch';
import { Help } from './Help';
import { SitesPanel } from './SitesPanel';

/** What can be opened over the meeting, one at a time. */
export type Panel = 'devices' | 'help' | 'leave' | 'sites';

export function OpenPanel({ panel, close }: { panel: Panel; close(): void }) {
  const leave = useLeave();
  const t = words.value;
  switch (panel) {
    case 'devices':
      return (
        <Dialog title={t.devices} onClose={close} testid="devices-dialog">
          <div class="switches">
            <Switch of="audioOnly" label={t.audioOnly} hint={t.audioOnlyHint} />
            <Switch of="mixedSound" label={t.mixedSound} hint={t.mixedSoundHint} />
          </div>
          <DeviceForm />
          <DirectSwitch />
        </Dialog>
      );
    case 'help':
      return <Help onClose={close} />;
    case 'sites':
      return <SitesPanel onClose={close} />;
    case 'leave':
      return (
        <Confirm title={t.leaveQuestion} text={t.leaveText} yes={t.leave} onYes={leave} onClose={close} />
      );
  }
}
