import { usePhase } from '../../hooks/visit';
import { Ended } from './ended/Ended';
import { Entry } from './entry/Entry';
import { Meeting } from './live/Meeting';

export function App() {
  switch (usePhase()) {
    case 'entry':
      return <Entry />;
    case 'meeting':
      return <Meeting />;
    case 'ended':
      return <Ended />;
  }
}
