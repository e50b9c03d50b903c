import { useEffect, useRef, useState } from 'preact/hooks';
import { keepPlaying } from '../media/keepPlaying';

/** Older browsers do not tell when a frame is shown; after this long one is assumed. */
const ASSUMED_FRAME_MS = 1000;

/** Plays a stream in a video element; `shown` turns true with the first frame of it. */
export function useVideo(stream: MediaStream | null) {
  const element = useRef<HTMLVideoElement>(null);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    setShown(false);
    const video = element.current;
    if (video === null || stream === null) return undefined;
    let current = true;
    const show = () => current && setShown(true);
    video.srcObject = stream;
    const release = keepPlaying(video);
    void video.play().catch(() => undefined);
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(show);
    else setTimeout(show, ASSUMED_FRAME_MS);
    return () => {
      current = false;
      release();
      video.srcObject = null;
    };
  }, [stream]);
  return { element, shown };
}

/** One stream per track for as long as the track is the same. */
export function useTrackStream(track: MediaStreamTrack | null): MediaStream | null {
  const [stream, setStream] = useState<MediaStream | null>(null);
  useEffect(() => setStream(track === null ? null : new MediaStream([track])), [track]);
  return stream;
}
