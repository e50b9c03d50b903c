import { LogIn, VideoOff } from 'lucide-preact';
import { usePreview } from '../../../hooks/devices';
import { useVideo } from '../../../hooks/video';
import { useInvitation, useJoin } from '../../../hooks/visit';
import { words } from '../../../i18n';
import { LanguageSwitch } from '../../../ui/LanguageSwitch';
import { Mark } from '../../../ui/Mark';
import { DeviceForm } from '../devices/DeviceForm';
import { DirectSwitch, Switch } from '../devices/Switch';
import './entry.css';

function Preview() {
  const { stream, starting } = usePreview();
  const { element, shown } = useVideo(stream);
  const t = words.value;
  return (
    <div class="preview">
      <video ref={element} class="mirrored" muted playsInline aria-label={t.camera} />
      {shown ? null : (
        <p class="preview-text">
          <VideoOff aria-hidden="true" />
          {starting ? t.previewStarting : t.previewOff}
        </p>
      )}
    </div>
  );
}

/** Where this link leads, so that nobody enters the wrong meeting or in the name of another site. */
function Invited() {
  const invitation = useInvitation();
  const t = words.value;
  if (invitation === null) return null;
  return (
    <p class="invited" data-testid="invited">
      <span>{t.invitedMeeting(invitation.meeting)}</span>
      <strong>{t.invitedSite(invitation.site)}</strong>
    </p>
  );
}

export function Entry() {
  const join = useJoin();
  const t = words.value;
  return (
    <div class="cover entry">
      <header class="cover-head">
        <div>
          <Mark />
          <p>{t.productLine}</p>
        </div>
        <LanguageSwitch />
      </header>
      <main class="entry-main">
        <section class="entry-preview">
          <Preview />
          <div class="switches">
            <Switch of="microphoneOn" label={t.turnOnAtEntry.microphone} />
            <Switch of="cameraOn" label={t.turnOnAtEntry.camera} />
          </div>
        </section>
        <section class="entry-form" aria-labelledby="entry-title">
          <h1 id="entry-title">{t.entryTitle}</h1>
          <Invited />
          <DeviceForm />
          <button type="button" class="button primary huge" data-testid="join" onClick={() => join()}>
            <LogIn aria-hidden="true" />
            {t.join}
          </button>
          <DirectSwitch />
        </section>
      </main>
      <footer class="cover-foot">{t.secrecy}</footer>
    </div>
  );
}
