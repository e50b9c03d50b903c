"""A site on aiortc: no transport-wide congestion control, only MID and levels as header extensions."""

import asyncio
from array import array
from fractions import Fraction

import aioice.ice
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from av import AudioFrame, VideoFrame

from signals import HEIGHT, PICTURES_PER_SECOND, RATE, WIDTH, Signal
from foreign_site import AUDIO_ONLY, SLOTS, Received, Site

# aioice leaves loopback out, which is all there is here.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

SAMPLES = RATE // 50


class Paced(MediaStreamTrack):
    """A track that gives its n-th frame when its time has come."""

    every_s = 1.0

    def __init__(self, signal: Signal) -> None:
        super().__init__()
        self.signal = signal
        self.count = 0
        self.start = asyncio.get_running_loop().time()

    async def recv(self) -> AudioFrame | VideoFrame:
        due = self.start + self.count * self.every_s
        await asyncio.sleep(max(0, due - asyncio.get_running_loop().time()))
        frame = self.frame(self.count)
        self.count += 1
        return frame

    def frame(self, number: int) -> AudioFrame | VideoFrame:
        raise NotImplementedError


class Camera(Paced):
    kind = "video"
    every_s = 1 / PICTURES_PER_SECOND

    def frame(self, number: int) -> VideoFrame:
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, value in zip(frame.planes, (self.signal.y, self.signal.u, self.signal.v)):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = number * 90_000 // PICTURES_PER_SECOND, Fraction(1, 90_000)
        return frame


class Microphone(Paced):
    kind = "audio"
    every_s = SAMPLES / RATE

    def frame(self, number: int) -> AudioFrame:
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.planes[0].update(array("h", self.signal.wave(number * SAMPLES, SAMPLES)).tobytes())
        frame.sample_rate = RATE
        frame.pts, frame.time_base = number * SAMPLES, Fraction(1, RATE)
        return frame


class AiortcSite(Site):
    def __init__(self, signal: Signal) -> None:
        super().__init__(signal)
        # Otherwise aiortc leaves the second and later video sections on a transport of their own.
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self.tasks: list[asyncio.Task] = []

    async def offer(self) -> str:
        add = self.peer.addTransceiver
        add(Microphone(self.signal), direction="sendonly")
        add(Camera(self.signal), direction="sendonly")
        self.doors = []
        for slot in range(SLOTS + AUDIO_ONLY):
            self.doors.append((add("audio", direction="recvonly"), self.audio[slot]))
            if slot < SLOTS:
                self.doors.append((add("video", direction="recvonly"), self.video[slot]))
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return self.peer.localDescription.sdp

    async def accept(self, answer: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        for transceiver, received in self.doors:
            self.tasks.append(asyncio.create_task(follow(transceiver.receiver.track, received)))

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await self.peer.close()


async def follow(track: MediaStreamTrack, received: Received) -> None:
    while True:
        frame = await track.recv()
        if isinstance(frame, VideoFrame):
            received.pictures.append(middle(frame))
        else:
            samples = array("h", bytes(frame.planes[0]))
            channels = len(frame.layout.channels)
            received.samples.extend(samples[: frame.samples * channels : channels])


def middle(frame: VideoFrame) -> tuple[int, int, int]:
    """Luma and chroma of the pixel in the middle."""
    at = ((plane.height // 2) * plane.line_size + plane.width // 2 for plane in frame.planes)
    y, u, v = (memoryview(plane)[place] for plane, place in zip(frame.planes, at))
    return y, u, v
