import { signal } from '@preact/signals';
import { preferHearing, preferReceiving, preferSending, preferSpeaking } from './codecs';
import {
  ASKED_FOR,
  CAMERA_ENCODINGS,
  CONTENT_ENCODINGS,
  cameraEncodings,
  contentEncodings,
} from './encodings';
import { askForRedundancy, Redundancy } from './redundancy';
import { type Numbers, upstreamOf } from './report';
import { followSize } from './size';

/** Receive-only audio sections without a video section, for sites that are only heard. */
const AUDIO_ONLY_SLOTS = 3;

export interface VideoSlot {
  audio: MediaStream;
  video: MediaStream;
}

/**
 * One PeerConnection with the sections that `signaling/protocol/src/lib.rs` names, in its order:
 * microphone, camera, content, then pairs of audio and video slots, then audio-only slots. It is
 * never renegotiated but to restart ICE. What the microphone sends is changed by applying the last answer again; the
 * bridge hears nothing of it.
 */
export class MediaConnection {
  readonly pc: RTCPeerConnection;
  /** Media flows, whatever the WebSocket does. */
  readonly connected = signal(false);
  readonly slots: VideoSlot[];
  readonly audioSlots: MediaStream[];
  private readonly microphone: RTCRtpTransceiver;
  private readonly camera: RTCRtpTransceiver;
  private readonly content: RTCRtpTransceiver;
  private wanted = { camera: [] as boolean[], content: [] as boolean[] };
  /** Of the frames, and how to stop following it. */
  private readonly sizes = { camera: ASKED_FOR, content: ASKED_FOR };
  private readonly letGo = { camera: () => {}, content: () => {} };
  /** `setParameters` calls must not overlap. */
  private parameters: Promise<void> = Promise.resolve();
  /** Offers, and answers that are applied again, must not overlap. */
  private descriptions: Promise<unknown> = Promise.resolve();
  private readonly redundancy = new Redundancy();
  /** The bridge's newest, and what was made of it. */
  private answers = { given: '', applied: '' };

  constructor(videoSlots: number, changed: (state: RTCPeerConnectionState) => void) {
    this.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require', iceServers: [] });
    this.pc.onconnectionstatechange = () => {
      this.connected.value = this.pc.connectionState === 'connected';
      changed(this.pc.connectionState);
    };
    this.microphone = this.pc.addTransceiver('audio', { direction: 'sendonly' });
    this.camera = this.pc.addTransceiver('video', { direction: 'sendonly', sendEncodings: CAMERA_ENCODINGS });
    this.content = this.pc.addTransceiver('video', {
      direction: 'sendonly',
      sendEncodings: CONTENT_ENCODINGS,
    });
    preferSpeaking(this.microphone);
    preferSending(this.camera);
    preferSending(this.content);
    this.slots = Array.from({ length: videoSlots }, () => this.addVideoSlot());
    this.audioSlots = Array.from({ length: AUDIO_ONLY_SLOTS }, () => this.addAudioSlot());
  }

  get usable(): boolean {
    return this.pc.connectionState !== 'failed' && this.pc.connectionState !== 'closed';
  }

  offer(iceRestart: boolean): Promise<string> {
    const offered = this.descriptions.then(async () => {
      const offer = await this.pc.createOffer({ iceRestart });
      await this.pc.setLocalDescription(offer);
      return offer.sdp ?? '';
    });
    this.descriptions = offered.catch(() => undefined);
    return offered;
  }

  async answer(sdp: string): Promise<void> {
    if (this.pc.signalingState !== 'have-local-offer') return;
    this.answers.given = sdp;
    await this.apply();
    this.applyLayers();
  }

  /** What the browser counts: where the line up loses packets, the microphone sends redundancy. */
  heed(stats: Numbers[]): void {
    this.redundancy.see(performance.now(), upstreamOf(stats));
    if (this.answers.applied === this.asked) return;
    this.descriptions = this.descriptions.then(() => this.changeVoice()).catch(() => undefined);
  }

  async sendMicrophone(track: MediaStreamTrack | null): Promise<void> {
    await this.microphone.sender.replaceTrack(track);
  }

  async sendCamera(track: MediaStreamTrack | null): Promise<void> {
    this.follow('camera', track);
    if (track !== null) track.contentHint = 'motion';
    await this.camera.sender.replaceTrack(track);
    this.applyLayers();
  }

  async sendContent(track: MediaStreamTrack | null): Promise<void> {
    this.follow('content', track);
    if (track !== null) track.contentHint = 'detail';
    await this.content.sender.replaceTrack(track);
    this.applyLayers();
  }

  /** Packets come, or have stopped coming: the browser itself reports that only seconds later. */
  flows(comes: boolean): void {
    this.connected.value = comes && this.pc.connectionState === 'connected';
  }

  /** Which simulcast layers have a viewer, lowest first. */
  wantLayers(wanted: { camera: boolean[]; content: boolean[] }): void {
    this.wanted = wanted;
    this.applyLayers();
  }

  close(): void {
    for (const letGo of Object.values(this.letGo)) letGo();
    this.pc.onconnectionstatechange = null;
    this.connected.value = false;
    this.pc.close();
  }

  /** The newest answer, as it is wanted now. */
  private get asked(): string {
    const { given } = this.answers;
    return this.redundancy.wanted ? askForRedundancy(given) : given;
  }

  private async apply(): Promise<void> {
    this.answers.applied = this.asked;
    await this.pc.setRemoteDescription({ type: 'answer', sdp: this.answers.applied });
  }

  private async changeVoice(): Promise<void> {
    if (this.pc.signalingState !== 'stable' || this.answers.applied === this.asked) return;
    await this.pc.setLocalDescription();
    try {
      await this.apply();
    } catch {
      await this.pc.setLocalDescription({ type: 'rollback' });
    }
  }

  private addAudioSlot(): MediaStream {
    const audio = this.pc.addTransceiver('audio', { direction: 'recvonly' });
    preferHearing(audio);
    return new MediaStream([audio.receiver.track]);
  }

  private addVideoSlot(): VideoSlot {
    const audio = this.addAudioSlot();
    const video = this.pc.addTransceiver('video', { direction: 'recvonly' });
    preferReceiving(video);
    return { audio, video: new MediaStream([video.receiver.track]) };
  }

  /** Layers are made of what a source gives now, and again whenever that changes. */
  private follow(source: 'camera' | 'content', track: MediaStreamTrack | null): void {
    this.letGo[source]();
    this.letGo[source] = () => {};
    if (track === null) return;
    const { width, height } = track.getSettings();
    this.sizes[source] = { width: width ?? ASKED_FOR.width, height: height ?? ASKED_FOR.height };
    this.letGo[source] = followSize(track, size => {
      this.sizes[source] = size;
      this.applyLayers();
    });
  }

  private applyLayers(): void {
    const { sizes, wanted } = this;
    this.change(this.camera.sender, all => cameraEncodings(all, sizes.camera, wanted.camera));
    this.change(this.content.sender, all => contentEncodings(all, sizes.content, wanted.content));
  }

  private change(
    sender: RTCRtpSender,
    edit: (encodings: RTCRtpEncodingParameters[]) => RTCRtpEncodingParameters[],
  ): void {
    this.parameters = this.parameters
      .then(async () => {
        const parameters = sender.getParameters();
        if (parameters.encodings.length === 0) return;
        parameters.encodings = edit(parameters.encodings);
        await sender.setParameters(parameters);
      })
      // The connection was closed or renegotiated meanwhile; the next answer applies them again.
      .catch(() => undefined);
  }
}
