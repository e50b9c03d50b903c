import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const LOOK_MS = 500;

/** How old the frame on view is, in milliseconds, while that is `asked`; null where the browser does not report frames. */
export function useFrameAge(element: RefObject<HTMLVideoElement>, asked: boolean): number | null {
  const [age, setAge] = useState<number | null>(null);
  useEffect(() => {
    const video = element.current;
    setAge(null);
    if (!asked || video === null || !('requestVideoFrameCallback' in video)) return undefined;
    let shownAt = performance.now();
    let handle = 0;
    const see = () => {
      shownAt = performance.now();
      handle = video.requestVideoFrameCallback(see);
    };
    handle = video.requestVideoFrameCallback(see);
    const timer = setInterval(() => setAge(performance.now() - shownAt), LOOK_MS);
    return () => {
      clearInterval(timer);
      video.cancelVideoFrameCallback(handle);
    };
  }, [element, asked]);
  return age;
}
