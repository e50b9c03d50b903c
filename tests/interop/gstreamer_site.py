"""A site on GStreamer's webrtcbin: libnice, OpenSSL with an RSA certificate, its own SDP."""

import asyncio
from array import array

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

from foreign_site import AUDIO_ONLY, SLOTS, Received, Site  # noqa: E402
from signals import HEIGHT, PICTURES_PER_SECOND, RATE, WIDTH, Signal  # noqa: E402

Gst.init(None)

MID = 'extmap-1=(string)"urn:ietf:params:rtp-hdrext:sdes:mid"'
OPUS = f"application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2,{MID}"
VP8 = f"application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000,{MID}"
SEND = GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY
RECEIVE = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
# Sections that send stand before those that receive.
SOURCES = 2

DECODE = {
    "audio": f"rtpopusdepay ! opusdec ! audioconvert ! audio/x-raw,format=S16LE,channels=1,rate={RATE}",
    "video": "rtpvp8depay ! vp8dec ! videoconvert ! video/x-raw,format=I420",
}


def pipeline_of(signal: Signal) -> str:
    rate = f"{PICTURES_PER_SECOND}/1"
    return (
        "webrtcbin name=peer bundle-policy=max-bundle "
        f"audiotestsrc is-live=true wave=sine freq={signal.tone} volume=0.3 "
        f"! audio/x-raw,rate={RATE},channels=1 ! opusenc ! rtpopuspay pt=111 ! peer.sink_0 "
        f"videotestsrc is-live=true pattern=solid-color foreground-color={signal.argb} "
        f"! video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={rate},colorimetry=bt601 "
        "! vp8enc deadline=1 cpu-used=8 target-bitrate=200000 keyframe-max-dist=300 "
        "! rtpvp8pay pt=96 picture-id-mode=15-bit ! peer.sink_1 "
    )


class GstreamerSite(Site):
    def __init__(self, signal: Signal) -> None:
        super().__init__(signal)
        self.replies: list[Gst.Structure | None] = []
        self.loop = asyncio.get_running_loop()
        self.pipeline = Gst.parse_launch(pipeline_of(signal))
        self.peer = self.pipeline.get_by_name("peer")
        self.peer.connect("pad-added", self.pad_added)
        # libnice leaves loopback out, which is all there is here.
        # Kept: webrtcbin's only reference is a floating one, which the binding takes for its own.
        self.ice = self.peer.get_property("ice-agent")
        self.ice.emit("add-local-ip-address", "127.0.0.1")

    async def offer(self) -> str:
        for source, caps in enumerate((OPUS, VP8)):
            transceiver = self.peer.emit("get-transceiver", source)
            transceiver.set_property("direction", SEND)
            transceiver.set_property("codec-preferences", Gst.Caps.from_string(caps))
        for slot in range(SLOTS + AUDIO_ONLY):
            self.peer.emit("add-transceiver", RECEIVE, Gst.Caps.from_string(OPUS))
            if slot < SLOTS:
                self.peer.emit("add-transceiver", RECEIVE, Gst.Caps.from_string(VP8))
        self.pipeline.set_state(Gst.State.PLAYING)
        offer = await self.ask("create-offer", None, "offer")
        await self.ask("set-local-description", offer)
        return offer.sdp.as_text()

    async def accept(self, answer: str) -> None:
        result, message = GstSdp.SDPMessage.new_from_text(answer)
        assert result == GstSdp.SDPResult.OK, result
        kind = GstWebRTC.WebRTCSDPType.ANSWER
        await self.ask("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(kind, message))

    async def close(self) -> None:
        # Waits for GStreamer's threads, which may wait for this loop.
        await asyncio.to_thread(self.pipeline.set_state, Gst.State.NULL)

    async def ask(self, signal: str, argument: object, wanted: str | None = None) -> object:
        """Emits a signal that takes a promise, waits for that, and returns what is wanted of its reply."""
        replied = asyncio.Event()
        promise = Gst.Promise.new_with_change_func(
            lambda _: self.loop.call_soon_threadsafe(replied.set)
        )
        self.peer.emit(signal, argument, promise)
        await replied.wait()
        reply = promise.get_reply()
        # What is in a reply lives no longer than the reply.
        self.replies.append(reply)
        if reply is not None and reply.has_field("error"):
            raise RuntimeError(f"{signal}: {reply.get_value('error')}")
        return reply.get_value(wanted) if wanted is not None and reply is not None else None

    def pad_added(self, _: Gst.Element, pad: Gst.Pad) -> None:
        """On a thread of GStreamer's: what comes in a section goes to its slot."""
        if pad.direction != Gst.PadDirection.SRC:
            return
        place = pad.get_property("transceiver").get_property("mlineindex") - SOURCES
        kind = "audio" if place % 2 == 0 else "video"
        received = (self.audio if kind == "audio" else self.video)[place // 2]
        decoder = Gst.parse_bin_from_description(
            f"{DECODE[kind]} ! appsink name=sink emit-signals=true sync=false max-buffers=8", True
        )
        decoder.get_by_name("sink").connect("new-sample", take, kind, received)
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))


def take(sink: Gst.Element, kind: str, received: Received) -> Gst.FlowReturn:
    sample = sink.emit("pull-sample")
    buffer = sample.get_buffer()
    data = buffer.extract_dup(0, buffer.get_size())
    if kind == "audio":
        received.samples.extend(array("h", data))
    else:
        size = sample.get_caps().get_structure(0)
        received.pictures.append(middle(data, size.get_value("width"), size.get_value("height")))
    return Gst.FlowReturn.OK


def middle(data: bytes, width: int, height: int) -> tuple[int, int, int]:
    """Luma and chroma of the pixel in the middle of an I420 picture, whose lines are padded to 4 bytes."""
    rows = (height + 1) // 2
    line, half = (width + 3) // 4 * 4, ((width + 1) // 2 + 3) // 4 * 4
    chroma = line * rows * 2
    in_half = (rows // 2) * half + width // 4
    luma = data[(height // 2) * line + width // 2]
    return luma, data[chroma + in_half], data[chroma + half * rows + in_half]
