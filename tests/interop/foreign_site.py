"""What a site of any stack says to the bridge (signaling/protocol/src/lib.rs), and what it has seen and heard."""

import asyncio
import json
from collections import deque

from websockets.asyncio.client import ClientConnection, connect

from server import Invited, Server
from signals import RATE, Signal

VERSION = 2
SLOTS = 2
AUDIO_ONLY = 1
WISHED_HEIGHT = 360
# Decoded pictures of one site in a row, and a third of a second of its voice: no accident.
ENOUGH_PICTURES = 20
ENOUGH_SAMPLES = RATE // 3
PATIENCE_S = 60


class Received:
    """The newest of what one slot has decoded."""

    def __init__(self) -> None:
        self.pictures: deque[tuple[float, float, float]] = deque(maxlen=ENOUGH_PICTURES)
        self.samples: deque[float] = deque(maxlen=ENOUGH_SAMPLES)

    def forget(self) -> None:
        self.pictures.clear()
        self.samples.clear()

    def shows(self, signal: Signal) -> bool:
        return len(self.pictures) == ENOUGH_PICTURES and all(signal.shows(*one) for one in self.pictures)

    def sounds(self, signal: Signal) -> bool:
        return len(self.samples) == ENOUGH_SAMPLES and signal.sounds(list(self.samples))


class Site:
    """A subclass brings the peer connection: `offer`, `accept` and `close`."""

    def __init__(self, signal: Signal) -> None:
        self.signal = signal
        self.video = [Received() for _ in range(SLOTS)]
        self.audio = [Received() for _ in range(SLOTS + AUDIO_ONLY)]
        self.slots: dict = {"video": [], "audio": []}
        self.meeting: dict = {"sites": []}
        self.inside = False
        self.answer = ""
        self.failure: BaseException | None = None

    async def offer(self) -> str:
        raise NotImplementedError

    async def accept(self, answer: str) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    async def join(self, server: Server, site: Invited) -> None:
        self.invited = site
        self.socket: ClientConnection = await connect(server.web_socket, compression=None, max_size=None)
        await self.say(type="hello", version=VERSION, token=site.token)
        self.you = (await self.hear_until("welcome"))["you"]
        # Python could deflate, but the answer to a plain offer must be plain.
        await self.say(type="offer", sdp={"plain": await self.offer()})
        self.answer = (await self.hear_until("answer"))["sdp"]["plain"]
        await self.accept(self.answer)
        await self.say(type="media", microphone=True, camera=True, content=False)
        self.inside = True
        self.listening = asyncio.create_task(self.listen())
        await self.wish()

    async def leave(self) -> None:
        if hasattr(self, "listening"):
            self.listening.cancel()
        await self.close()
        if hasattr(self, "socket"):
            await self.socket.close()

    async def say(self, **message: object) -> None:
        await self.socket.send(json.dumps(message))

    async def hear(self) -> dict:
        message = json.loads(await self.socket.recv())
        match message["type"]:
            case "ping":
                await self.say(type="pong", n=message["n"])
            case "slots":
                self.changed(message)
            case "meeting":
                self.meeting = message["meeting"]
                await self.wish()
            case "error" | "refused":
                raise RuntimeError(f"the bridge says {message}")
        return message

    def changed(self, slots: dict) -> None:
        """What a slot has decoded of another site no longer counts."""
        for kind, all_received in (("video", self.video), ("audio", self.audio)):
            before = self.slots[kind] + [None] * len(all_received)
            for received, old, new in zip(all_received, before, slots[kind]):
                if old != new:
                    received.forget()
        self.slots = slots

    async def hear_until(self, kind: str) -> dict:
        while True:
            message = await self.hear()
            if message["type"] == kind:
                return message

    async def listen(self) -> None:
        try:
            while True:
                await self.hear()
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self.failure = error

    async def wish(self) -> None:
        """Every other site's camera."""
        if not self.inside:
            return
        others = [site["id"] for site in self.meeting["sites"] if site["id"] != self.you]
        wishes = [{"site": one, "kind": "camera", "max_height": WISHED_HEIGHT} for one in others]
        await self.say(type="wishes", slots=wishes[:SLOTS])

    def received(self, kind: str, other: Invited) -> list[Received]:
        ids = [site["id"] for site in self.meeting["sites"] if site["name"] == other.name]
        slots = self.video if kind == "video" else self.audio
        named = zip(slots, self.slots[kind])
        return [slot for slot, source in named if source is not None and source["site"] in ids]

    async def sees(self, other: Invited, signal: Signal) -> None:
        await self.until(
            f"{self.invited.name} sees {other.name}",
            lambda: any(slot.shows(signal) for slot in self.received("video", other)),
        )

    async def hears(self, other: Invited, signal: Signal) -> None:
        await self.until(
            f"{self.invited.name} hears {other.name}",
            lambda: any(slot.sounds(signal) for slot in self.received("audio", other)),
        )

    async def decodes(self, other: Invited) -> None:
        """Pictures of a site whose colour is not known."""
        await self.until(
            f"{self.invited.name} decodes pictures of {other.name}",
            lambda: any(len(slot.pictures) >= 2 for slot in self.received("video", other)),
        )

    async def until(self, what: str, holds) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not holds():
                    if self.failure is not None:
                        raise self.failure
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"not within {PATIENCE_S} s: {what}; {self.state()}") from None

    def state(self) -> str:
        seen = [(len(slot.pictures), slot.pictures[-1] if slot.pictures else None) for slot in self.video]
        heard = [len(slot.samples) for slot in self.audio]
        return f"slots {self.slots['video']} {self.slots['audio']}, seen {seen}, heard {heard}"
