"""clawgw as it is used: a key, limits, a policy and the log, all on."""

import sys
from functools import partial
from hashlib import sha256
from pathlib import Path
from subprocess import check_output

from benchmarks.peers.gateways import Gateway, Launch, Site
from benchmarks.peers.processes import PROC
from clawgw import __version__

ROOT = Path(__file__).resolve().parents[2]
KEY = "bench-key"
_HEADERS = {"authorization": f"Bearer {KEY}"}
_CONFIG = """
[server]
bind = ["127.0.0.1:{port}"]
workers = {workers}

[[keys]]
name = "bench"
sha256 = "{digest}"
labels = {{ team = "bench" }}
limits = {{ requests_per_minute = 10_000_000_000, tokens_per_minute = 10_000_000_000, concurrent = 1_000_000 }}

[limits]
{limits}

[policies]
path = "{policies}"

[routes.plain]
targets = ["plain/bench"]
policy = "sticky:route"

[routes.one]
targets = ["plain/bench", "second/bench"]

[routes.hedged]
targets = ["plain/bench", "second/bench"]
strategy = "hedge"
hedge_after = 2.0
"""
_PROVIDER = """
[providers.{name}]
wire = "openai"
base_url = "{url}"
api_keys = ["env:UPSTREAM_KEY"]
limits = {{ requests_per_minute = 10_000_000_000, tokens_per_minute = 10_000_000_000 }}
allow_private_network = true
"""
_TLS = """
[routes.tls]
targets = ["tls/bench"]
policy = "sticky:route"
"""


def install(_cache: Path) -> str:
    """The version of this checkout, which needs no installing."""
    git = ["git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD"]
    return f"{__version__} ({check_output(git, text=True).strip()})"  # noqa: S603 - fixed words


def configuration(site: Site, workers: int, limits: str) -> str:
    """The text of gateway.toml; `limits` are lines of its `[limits]`."""
    urls = site.upstreams.urls
    providers = {"second": urls["plain"], **urls}
    digest = sha256(KEY.encode()).hexdigest()
    values = {"port": site.port, "workers": workers, "digest": digest, "limits": limits, "policies": ROOT / "policies"}
    tables = [_PROVIDER.format(name=name, url=url) for name, url in providers.items()]
    return "".join([_CONFIG.format_map(values), *tables, *([_TLS] if "tls" in urls else [])])


def launch(site: Site, workers: int, limits: str) -> Launch:
    """`clawgw serve` with that."""
    (site.folder / "gateway.toml").write_text(configuration(site, workers, limits))
    environment = {
        "PYTHONPATH": str(ROOT),
        "UPSTREAM_KEY": "upstream-key",
        "SSL_CERT_FILE": str(site.upstreams.authority),
    }
    asks = {way: (way, _HEADERS) for way in ("one", "hedged", *site.upstreams.urls)}
    is_aside = partial(is_no_worker, workers=workers)
    return Launch([sys.executable, "-m", "clawgw", "serve"], environment, asks, is_aside)


def is_no_worker(pid: int, workers: int = 1) -> bool:
    """Whether a process does not answer: the one that stores records, and the one that has started several workers."""
    environment = (PROC / str(pid) / "environ").read_bytes()
    return b"CLAWGW_SINKS=" in environment or (workers > 1 and b"CLAWGW_WORKER=" not in environment)


def clawgw(name: str = "clawgw", workers: int = 1, limits: str = "") -> Gateway:
    """With so many workers, and these lines in `[limits]`."""
    return Gateway(name, install, partial(launch, workers=workers, limits=limits))
