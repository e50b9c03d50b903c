import { keepPlaying } from './keepPlaying';
import { setSpeaker } from './tone';

/**
 * Plays the sound of every slot in elements of their own, apart from the tiles: these come and
 * go, sound stays.
 */
export class Playback {
  private players: HTMLAudioElement[] = [];
  private release: (() => void)[] = [];
  private speaker = '';

  /** `blocked` receives whether the browser refuses to play before a click. */
  constructor(private readonly blocked: (blocked: boolean) => void) {}

  play(streams: MediaStream[]): void {
    this.stop();
    this.players = streams.map(stream => {
      const player = new Audio();
      player.srcObject = stream;
      document.body.append(player);
      void setSpeaker(player, this.speaker);
      return player;
    });
    this.release = this.players.map(player => keepPlaying(player, () => this.blocked(true)));
    void this.start();
  }

  /** To be called from a click when `blocked` received true. */
  async start(): Promise<void> {
    const results = await Promise.allSettled(this.players.map(player => player.play()));
    const refused = (result: PromiseSettledResult<void>) =>
      result.status === 'rejected' && result.reason?.name === 'NotAllowedError';
    this.blocked(results.some(refused));
  }

  useSpeaker(speaker: string): void {
    this.speaker = speaker;
    for (const player of this.players) void setSpeaker(player, speaker);
  }

  stop(): void {
    for (const release of this.release) release();
    this.release = [];
    for (const player of this.players) {
      player.srcObject = null;
      player.remove();
    }
    this.players = [];
  }
}
