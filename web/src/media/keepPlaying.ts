/** Between attempts to go on playing: what paused it may do so again at once. */
const FIRST_MS = 250;
const LONGEST_MS = 5000;
/** After it has played this long the pause is over. */
const STEADY_MS = 10_000;

/**
 * Plays on when something outside of the page has paused it: media keys, a headset, a phone call, the browser itself.
 * Returns how to let go of the element. `refused` is called when the browser wants a click first.
 */
export function keepPlaying(player: HTMLMediaElement, refused: () => void = () => undefined): () => void {
  let wait = FIRST_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const play = () => {
    player.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError') refused();
    });
  };
  const paused = () => {
    // Without a source there is nothing to play: the page itself has paused it.
    if (player.srcObject === null) return;
    clearTimeout(timer);
    timer = setTimeout(play, wait);
    wait = Math.min(LONGEST_MS, wait * 2);
  };
  const playing = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      wait = FIRST_MS;
    }, STEADY_MS);
  };
  player.addEventListener('pause', paused);
  player.addEventListener('playing', playing);
  return () => {
    clearTimeout(timer);
    player.removeEventListener('pause', paused);
    player.removeEventListener('playing', playing);
  };
}
