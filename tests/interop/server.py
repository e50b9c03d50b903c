"""`nhipcau serve` on free ports of 127.0.0.1, and `nhipcau join` as a site of a third stack."""

import asyncio
import json
import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GONE_S = 15


@dataclass(frozen=True)
class Invited:
    name: str
    token: str
    role: str = "site"


CHAIR = Invited("Huyện Long Thành", "lien-thong-huyen-long-thanh-dong-nai-0", "chair")
AN_PHUOC = Invited("An Phước", "lien-thong-xa-an-phuoc-dong-nai-1")
BINH_SON = Invited("Bình Sơn", "lien-thong-xa-binh-son-dong-nai-2")


def binary() -> str:
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    path = os.environ.get("NHIPCAU", str((ROOT / target / "debug/nhipcau").resolve()))
    if not Path(path).exists():
        raise FileNotFoundError(f"{path} is missing: cargo build -p signaling --bin nhipcau")
    return path


def free_ports(count: int) -> list[int]:
    """Free for TCP just now; all are held until all are known, so that they differ."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def bound(*command: str) -> list[str]:
    """A process that ends with this one, also where this one crashes and tidies nothing up."""
    return ["setpriv", "--pdeathsig", "KILL", *command]


class Server:
    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="nhipcau-interop-")
        self.words = ""
        self.http, https, metrics, media = free_ports(4)
        sites = ",\n".join(
            f'  {{ name = "{one.name}", token = "{one.token}", role = "{one.role}" }}'
            for one in (CHAIR, AN_PHUOC, BINH_SON)
        )
        self.config = Path(self.folder.name) / "nhipcau.toml"
        self.config.write_text(
            f'http = "127.0.0.1:{self.http}"\n'
            f'https = "127.0.0.1:{https}"\n'
            f'metrics = "127.0.0.1:{metrics}"\n'
            f'data = "{self.folder.name}"\n'
            "drain_seconds = 1\n"
            f'[media]\nport = {media}\nlisten = ["127.0.0.1"]\nworkers = 1\n'
            f'[[meetings]]\ntitle = "Liên thông"\nsites = [\n{sites}\n]\n'
        )

    async def __aenter__(self) -> "Server":
        with open(Path(self.folder.name) / "log", "wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *bound(binary(), "serve", "--config", str(self.config)), stdout=log, stderr=log
            )
        while True:
            if self.process.returncode is not None:
                raise RuntimeError(f"the server ended: {self.log()}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.http)
                writer.close()
                return self
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), GONE_S)
            except asyncio.TimeoutError:
                self.process.kill()
                await self.process.wait()
        self.words = self.log()
        self.folder.cleanup()

    def log(self) -> str:
        """The end of what it said."""
        return (Path(self.folder.name) / "log").read_text(errors="replace")[-4000:]

    @property
    def web_socket(self) -> str:
        return f"ws://127.0.0.1:{self.http}/ws"

    async def join(self, site: Invited, seconds: int) -> dict:
        """What the `webrtc` crate saw as this site."""
        link = f"http://127.0.0.1:{self.http}/#{site.token}"
        process = await asyncio.create_subprocess_exec(
            *bound(binary(), "join", link, "--seconds", str(seconds), "--report", "json"),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        if not out:
            raise RuntimeError(f"join said nothing: {err.decode()}")
        return json.loads(out)
