import { useSession } from '../../hooks/context';
import { Ended } from './ended/Ended';
import { Entry } from './entry/Entry';
import { Meeting } from './live/Meeting';

export function App() {
  switch (useSession().phase.value) {
    case 'entry':
      return <Entry />;
    case 'meeting':
      return <Meeting />;
    case 'ended':
      return <Ended />;
  }
}
