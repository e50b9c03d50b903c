// Builds the offer of our page: what is sent, then pairs of slots, then audio-only slots. Runs in a
// browser; `limited` keeps one codec per transceiver and its retransmissions.
window.makeOffer = async ({ limited, pairs, voices, data }) => {
  const pc = (window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' }));
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  const camera = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 } });
  const content = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 } });
  const layers = [
    { rid: 'l', scaleResolutionDownBy: 4 },
    { rid: 'm', scaleResolutionDownBy: 2 },
    { rid: 'h', scaleResolutionDownBy: 1 },
  ];
  pc.addTransceiver(microphone.getAudioTracks()[0], { direction: 'sendonly' });
  pc.addTransceiver(camera.getVideoTracks()[0], { direction: 'sendonly', sendEncodings: layers });
  pc.addTransceiver(content.getVideoTracks()[0], { direction: 'sendonly' });
  for (let pair = 0; pair < pairs; pair++) {
    pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.addTransceiver('video', { direction: 'recvonly' });
  }
  for (let voice = 0; voice < voices; voice++) pc.addTransceiver('audio', { direction: 'recvonly' });
  if (data) pc.createDataChannel('rejected');
  if (limited) pc.getTransceivers().forEach(limit);
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
};

function limit(transceiver) {
  const kind = transceiver.receiver.track.kind;
  const wanted = kind === 'audio' ? /opus|red/i : /VP8|rtx/i;
  const { codecs } = RTCRtpReceiver.getCapabilities(kind);
  transceiver.setCodecPreferences(codecs.filter((codec) => wanted.test(codec.mimeType)));
}

// What became of our answer: the directions both sides agreed on.
window.takeAnswer = async (sdp) => {
  await window.pc.setRemoteDescription({ type: 'answer', sdp });
  const layers = window.pc.getTransceivers().map((t) => t.sender.getParameters().encodings.length);
  const directions = window.pc.getTransceivers().map((t) => t.currentDirection);
  // An answer once taken must also fit the browser's next offer.
  await window.pc.setLocalDescription(await window.pc.createOffer());
  return { directions, layers, state: window.pc.signalingState, again: window.pc.localDescription.sdp };
};
