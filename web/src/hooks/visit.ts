import type { Ending } from '../meeting/state';
import { useSession } from './context';

/** How far this visit is: the entry page, the meeting, the end. */
export const usePhase = () => useSession().phase.value;

/** Where the link leads; null while the server has not answered. */
export const useInvitation = () => useSession().invitation.value;

/** Whether the link itself skips the entry page. */
export const useDirectLink = (): boolean => useSession().link.direct;

/** The way in, and the way back. */
export const useProgress = () => useSession().progress.value;

/** Whether sound and video flow, whatever the way to the server does. */
export const useMediaUp = (): boolean => useSession().mediaUp.value;

export const useEnding = (): Ending => useSession().ending.value ?? { kind: 'left' };

export function useJoin(): (takeover?: boolean) => void {
  const session = useSession();
  return takeover => session.join(takeover);
}

export function useLeave(): () => void {
  const session = useSession();
  return () => session.leave();
}
