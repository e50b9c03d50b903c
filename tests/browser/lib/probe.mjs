/** Runs inside the page, before its own scripts: eyes and ears for the tests. */

export function installProbe({ colours }) {
  const nearest = (r, g, b) => {
    const distance = ([x, y, z]) => Math.hypot(r - x, g - y, b - z);
    const [name, colour] = Object.entries(colours).reduce((best, entry) =>
      distance(entry[1]) < distance(best[1]) ? entry : best,
    );
    return distance(colour) < 60 ? name : `rgb(${Math.round(r)},${Math.round(g)},${Math.round(b)})`;
  };

  /** Whose colour the middle of a picture has. */
  const marker = video => {
    if (video === null || video.videoWidth === 0) return null;
    const canvas = document.createElement('canvas');
    canvas.width = 16;
    canvas.height = 9;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, 16, 9);
    const { data } = context.getImageData(4, 2, 8, 4);
    const mean = part => {
      let sum = 0;
      for (let at = part; at < data.length; at += 4) sum += data[at];
      return sum / (data.length / 4);
    };
    return nearest(mean(0), mean(1), mean(2));
  };

  const frames = new WeakMap();
  /** Times at which frames were shown in an element, from the first call on. */
  const framesOf = video => {
    if (!frames.has(video)) {
      const times = [];
      frames.set(video, times);
      const shown = now => {
        times.push(now);
        video.requestVideoFrameCallback(shown);
      };
      video.requestVideoFrameCallback(shown);
    }
    return frames.get(video);
  };

  const tileOf = (site, kind) =>
    document.querySelector(`[data-testid="tile"][data-site="${site}"][data-kind="${kind}"]`);

  const ears = { context: null, analyser: null, heard: new Set() };
  /** Everything this page receives, mixed, in one analyser. */
  const listen = () => {
    ears.context ??= new AudioContext({ sampleRate: 48000 });
    if (ears.analyser === null) {
      ears.analyser = ears.context.createAnalyser();
      ears.analyser.fftSize = 8192;
      ears.analyser.smoothingTimeConstant = 0;
    }
    for (const { receiver } of window.nhipcau.pc?.getTransceivers() ?? []) {
      const { track } = receiver;
      if (track.kind !== 'audio' || ears.heard.has(track)) continue;
      ears.heard.add(track);
      ears.context.createMediaStreamSource(new MediaStream([track])).connect(ears.analyser);
    }
    return ears.analyser;
  };

  /** For each frequency its level in dB above the middle of the spectrum's noise, at least 0. */
  const tones = wanted => {
    const analyser = listen();
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const width = 48000 / analyser.fftSize;
    return wanted.map(frequency => {
      const at = Math.round(frequency / width);
      return Math.max(...bins.slice(at - 1, at + 2));
    });
  };

  /** Root mean square of all that is received. */
  const loudness = () => {
    const analyser = listen();
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
  };

  /** Every notice there has been; they go from the screen by themselves. */
  const notices = new Map();
  const note = () => {
    for (const notice of document.querySelectorAll('[data-notice]'))
      notices.set(notice, { kind: notice.dataset.notice, text: notice.textContent });
  };
  new MutationObserver(note).observe(document, { subtree: true, childList: true });

  window.probe = { marker, framesOf, tileOf, tones, loudness, notices: () => [...notices.values()] };
}

/** Inside the page: answers of the server without their UDP candidates. */
export function onlyTcp() {
  const original = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    const lines = description.sdp.split('\r\n');
    const kept = lines.filter(line => !/^a=candidate:\S+ \d+ udp /i.test(line));
    window.droppedCandidates = lines.length - kept.length;
    return original.call(this, { type: description.type, sdp: kept.join('\r\n') });
  };
}

/** Inside the page: `cutWord(true)` ends what is said to the server and lets nothing new begin; media is not touched. */
export function words() {
  const Original = window.WebSocket;
  const open = new Set();
  let cut = false;
  window.WebSocket = class extends Original {
    constructor(...given) {
      super(...given);
      open.add(this);
      if (cut) this.close();
    }
  };
  window.cutWord = wanted => {
    cut = wanted;
    if (cut) for (const socket of open) socket.close();
  };
}

/** Inside the page: answers of the server with one candidate, UDP at this port. */
export function onlyUdpTo(port) {
  const original = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    const sdp = description.sdp
      .replaceAll(/^a=candidate:\S+ \d+ tcp .*\r\n/gim, '')
      .replaceAll(/^(a=candidate:\S+ \d+ udp \d+ \S+) \d+/gim, `$1 ${port}`);
    return original.call(this, { type: description.type, sdp });
  };
}

/**
 * Inside the page: devices whose cables can be pulled, `unplug('audioinput')`, and put back, `replug()`;
 * and that somebody outside of the page silences, `silence('audioinput', true)`.
 */
export function cables() {
  const { mediaDevices } = navigator;
  const capture = mediaDevices.getUserMedia.bind(mediaDevices);
  const enumerate = mediaDevices.enumerateDevices.bind(mediaDevices);
  const gone = new Set();
  let running = [];
  mediaDevices.enumerateDevices = async () =>
    (await enumerate()).filter(({ kind, deviceId }) => !gone.has(kind + deviceId));
  mediaDevices.getUserMedia = async constraints => {
    const stream = await capture(constraints);
    running = [...running, ...stream.getTracks()].filter(({ readyState }) => readyState === 'live');
    return stream;
  };
  /** A phone call, a headset's switch or a shutter: the track lives and gives nothing. */
  window.silence = (kind, muted) => {
    const track = running.findLast(track => kind.startsWith(track.kind));
    Object.defineProperty(track, 'muted', { value: muted, configurable: true });
    track.enabled = !muted;
    track.dispatchEvent(new Event(muted ? 'mute' : 'unmute'));
  };
  const changed = () => mediaDevices.dispatchEvent(new Event('devicechange'));
  window.unplug = kind => {
    const track = running.findLast(track => kind.startsWith(track.kind));
    gone.add(kind + track.getSettings().deviceId);
    track.stop();
    track.dispatchEvent(new Event('ended'));
    changed();
  };
  window.replug = () => {
    gone.clear();
    changed();
  };
}

/** Inside the page: its pictures are sent as this codec, and no other. */
export function sendsOnly(mimeType) {
  const original = RTCRtpTransceiver.prototype.setCodecPreferences;
  const plain = ({ mimeType: name, sdpFmtpLine = '' }) =>
    name === mimeType && !/profile(-id)?=[1-9]/.test(sdpFmtpLine);
  RTCRtpTransceiver.prototype.setCodecPreferences = function (codecs) {
    const sends =
      this.direction === 'sendonly' && codecs.every(({ mimeType: name }) => name.startsWith('video/'));
    const { codecs: all } = RTCRtpReceiver.getCapabilities('video');
    const rtx = all.filter(({ mimeType: name }) => name === 'video/rtx');
    original.call(this, sends ? [...all.filter(plain), ...rtx] : codecs);
  };
}

/**
 * Inside the page: a camera that shows a place's colour, 15 times a second; `turnCamera(width, height)` gives its
 * pictures another size, as a phone does that is turned.
 */
export function paintedCamera({ colour, width, height }) {
  const canvas = document.createElement('canvas');
  const paint = canvas.getContext('2d');
  let frame = 0;
  window.turnCamera = (width, height) => Object.assign(canvas, { width, height });
  window.turnCamera(width, height);
  setInterval(() => {
    frame += 1;
    paint.fillStyle = `rgb(${colour})`;
    paint.fillRect(0, 0, canvas.width, canvas.height);
    paint.fillStyle = 'white';
    paint.fillRect((frame * 20) % canvas.width, canvas.height * 0.9, 40, 40);
  }, 1000 / 15);
  const { mediaDevices } = navigator;
  const capture = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async ({ audio, video }) => {
    const stream = audio ? await capture({ audio }) : new MediaStream();
    if (video) stream.addTrack(canvas.captureStream(15).getVideoTracks()[0]);
    return stream;
  };
}
