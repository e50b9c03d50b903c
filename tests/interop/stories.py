"""Foreign WebRTC stacks in meetings of a real server over loopback: each sees and hears the others.

Each story is told with the clients' own decoders: a site shows one colour and says one tone, and the others must
decode that colour in the slot that the bridge says shows the site.
"""

import asyncio
import sys
import time
import traceback
from contextlib import AsyncExitStack
from pathlib import Path

from aiortc_site import AiortcSite
from foreign_site import Site
from gstreamer_site import GstreamerSite
from server import AN_PHUOC, BINH_SON, CHAIR, Invited, Server
from signals import BLUE, RED, Signal

STORY_LIMIT_S = 150
JOIN_SECONDS = 12


class World:
    """What one story opens."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.stack = stack
        self.server: Server | None = None

    async def site(self, stack: type[Site], signal: Signal, invited: Invited) -> Site:
        if self.server is None:
            self.server = await self.stack.enter_async_context(Server())
        site = stack(signal)
        self.stack.push_async_callback(site.leave)
        await site.join(self.server, invited)
        return site


async def meet(world: World, first: type[Site], second: type[Site]) -> tuple[Site, Site]:
    hall = await world.site(first, RED, CHAIR)
    commune = await world.site(second, BLUE, AN_PHUOC)
    await hall.sees(AN_PHUOC, BLUE)
    await commune.sees(CHAIR, RED)
    await hall.hears(AN_PHUOC, BLUE)
    await commune.hears(CHAIR, RED)
    return hall, commune


async def aiortc_sites_see_and_hear_each_other(world: World) -> None:
    await meet(world, AiortcSite, AiortcSite)


async def gstreamer_sites_see_and_hear_each_other(world: World) -> None:
    await meet(world, GstreamerSite, GstreamerSite)


async def three_stacks_are_in_one_meeting(world: World) -> None:
    hall, commune = await meet(world, AiortcSite, GstreamerSite)
    assert world.server is not None
    joining = asyncio.create_task(world.server.join(BINH_SON, JOIN_SECONDS))
    await hall.decodes(BINH_SON)
    await commune.decodes(BINH_SON)
    report = await joining
    for other in (CHAIR, AN_PHUOC):
        for kind in ("audio", "video"):
            tracks = [t for t in report["received"] if t["kind"] == kind and t["site"] == other.name]
            assert any(track["frames"] > 10 for track in tracks), f"{other.name} {kind}: {report}"


CRASHES = """
import asyncio, os, signal
from server import Server
async def main():
    async with Server() as server:
        print(server.process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


async def a_crash_leaves_no_server_running(_: World) -> None:
    crashing = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CRASHES, cwd=Path(__file__).parent, stdout=asyncio.subprocess.PIPE
    )
    assert crashing.stdout is not None
    server = int(await crashing.stdout.readline())
    await crashing.wait()
    while Path(f"/proc/{server}/exe").exists():
        await asyncio.sleep(0.05)


STORIES = [
    a_crash_leaves_no_server_running,
    aiortc_sites_see_and_hear_each_other,
    gstreamer_sites_see_and_hear_each_other,
    three_stacks_are_in_one_meeting,
]


async def told(story) -> bool:
    name = story.__name__.replace("_", " ")
    start = time.monotonic()
    world = None
    try:
        async with asyncio.timeout(STORY_LIMIT_S), AsyncExitStack() as stack:
            world = World(stack)
            await story(world)
    except Exception:
        print(f"FAILED  {name} ({time.monotonic() - start:.1f} s)\n{traceback.format_exc()}", flush=True)
        if world is not None and world.server is not None:
            print(world.server.words, flush=True)
        return False
    print(f"ok      {name} ({time.monotonic() - start:.1f} s)", flush=True)
    return True


async def main(wanted: list[str]) -> int:
    chosen = [story for story in STORIES if not wanted or any(part in story.__name__ for part in wanted)]
    results = [await told(story) for story in chosen]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
