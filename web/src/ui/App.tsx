import { useSession } from './context';
import { Ended } from './Ended';
import { Entry } from './Entry';
import { Meeting } from './Meeting';

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
