import { SessionContext } from '../../hooks/context';
import { followLanguage } from '../../i18n';
import { Session } from '../../session/session';
import { start } from '../../ui/start';
import { App } from './App';

start(() => {
  followLanguage();
  const session = new Session();
  // For people who look for a fault and for browser tests; read-only, see CONTRIBUTING.md.
  Object.defineProperty(window, 'nhipcau', {
    value: Object.freeze({
      get pc() {
        return session.media.value?.pc ?? null;
      },
      get state() {
        return session.state.value;
      },
    }),
  });
  session.begin();
  return (
    <SessionContext.Provider value={session}>
      <App />
    </SessionContext.Provider>
  );
});

// The secret in the address is another link: the page starts again.
window.addEventListener('hashchange', () => location.reload());
