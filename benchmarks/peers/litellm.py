"""LiteLLM's proxy, in an environment of its own, as its pages on production advise: one worker, nothing logged."""

import json
from pathlib import Path

from benchmarks.peers.gateways import Gateway, Launch, Site
from benchmarks.peers.installing import install_python

VERSION = "1.106.2"
_KEY = "sk-bench"


def install(cache: Path) -> str:
    """With pip. Raises `Unavailable`."""
    folder = cache / f"litellm-{VERSION}"
    install_python(folder, f"litellm[proxy]=={VERSION}")
    return VERSION


def launch(site: Site) -> Launch:
    """One worker, behind its master key."""
    models = [_model(way, url) for way, url in site.upstreams.urls.items()]
    config = {"model_list": models, "general_settings": {"master_key": _KEY}, "litellm_settings": {"num_retries": 0}}
    file = site.folder / "config.yaml"
    file.write_text(json.dumps(config))  # JSON is YAML
    command = str(site.cache / f"litellm-{VERSION}" / "bin" / "litellm")
    environment = {
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # it would be fetched
        "SSL_CERT_FILE": str(site.upstreams.authority),
    }
    asks = {way: (way, {"authorization": f"Bearer {_KEY}"}) for way in site.upstreams.urls}
    address = ["--host", "127.0.0.1", "--port", str(site.port)]
    return Launch(
        [command, "--config", str(file), "--num_workers", "1", "--telemetry", "False", *address], environment, asks
    )


def _model(way: str, url: str) -> dict[str, object]:
    return {"model_name": way, "litellm_params": {"model": "openai/bench", "api_base": url, "api_key": "upstream-key"}}


LITELLM = Gateway("LiteLLM", install, launch)
