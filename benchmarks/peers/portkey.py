"""Portkey's gateway, in a folder of its own, as its package starts it."""

import json
import shutil
from pathlib import Path

from benchmarks.peers.compiled import Unavailable
from benchmarks.peers.gateways import Gateway, Launch, Site
from benchmarks.peers.installing import installing

VERSION = "1.15.2"
_PACKAGE = {
    "dependencies": {"@portkey-ai/gateway": VERSION},
    "overrides": {"@hono/node-server": "1.13.7"},  # with 1.14 and later every stream is answered with a 500
}
_SERVER = Path("node_modules", "@portkey-ai", "gateway", "build", "start-server.js")


def install(cache: Path) -> str:
    """With npm. Raises `Unavailable`."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise Unavailable("node and npm are needed")
    folder = cache / f"portkey-{VERSION}"
    with installing(folder) as run:
        (folder / "package.json").write_text(json.dumps(_PACKAGE))
        run(npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder))
    return VERSION


def launch(site: Site) -> Launch:
    """It has no configuration: each request's headers tell where to go."""
    command = ["node", str(site.cache / f"portkey-{VERSION}" / _SERVER), f"--port={site.port}", "--headless"]
    environment = {"NODE_ENV": "production", "NODE_EXTRA_CA_CERTS": str(site.upstreams.authority)}
    asks = {way: ("bench", _headers(url)) for way, url in site.upstreams.urls.items()}
    return Launch(command, environment, asks)


def _headers(url: str) -> dict[str, str]:
    return {
        "authorization": "Bearer upstream-key",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": url,
    }


PORTKEY = Gateway("Portkey", install, launch)
