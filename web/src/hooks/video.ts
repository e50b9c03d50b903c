import { useEffect, useRef, useState } from 'preact/hooks';
import type { Size } from '../media/encodings';
import { keepPlaying } from '../media/keepPlaying';
import { watchSize } from '../media/size';

/** Older browsers do not report when a frame is shown; after this long one is assumed. */
const ASSUMED_FRAME_MS = 1000;

/** Plays a stream in a video element. `shown` turns true with its first frame; `size` is that of its frames. */
export function useVideo(stream: MediaStream | null) {
  const element = useRef<HTMLVideoElement>(null);
  const [shown, setShown] = useState(false);
  const [size, setSize] = useState<Size | null>(null);
  useEffect(() => {
    setShown(false);
    setSize(null);
    const video = element.current;
    if (video === null || stream === null) return undefined;
    let current = true;
    const show = () => current && setShown(true);
    video.srcObject = stream;
    const releases = [watchSize(video, setSize), keepPlaying(video)];
    void video.play().catch(() => undefined);
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(show);
    else setTimeout(show, ASSUMED_FRAME_MS);
    return () => {
      current = false;
      for (const release of releases) release();
      video.srcObject = null;
    };
  }, [stream]);
  return { element, shown, size };
}

/** One stream per track for as long as the track is the same. */
export function useTrackStream(track: MediaStreamTrack | null): MediaStream | null {
  const [stream, setStream] = useState<MediaStream | null>(null);
  useEffect(() => setStream(track === null ? null : new MediaStream([track])), [track]);
  return stream;
}
