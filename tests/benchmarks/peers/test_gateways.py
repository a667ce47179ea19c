"""What each gateway is started with."""

import json
from pathlib import Path

import pytest

from benchmarks.peers.clawgw import KEY, clawgw
from benchmarks.peers.gateways import Gateway, Launch, Site
from benchmarks.peers.litellm import LITELLM
from benchmarks.peers.portkey import PORTKEY
from benchmarks.peers.upstream import Upstreams
from clawgw.config.callers import Callers
from clawgw.config.load import load
from clawgw.config.snapshot import Snapshot

PLAIN, TLS = "http://127.0.0.1:9000/v1", "https://127.0.0.1:9001/v1"


def site(folder: Path, *ways: str) -> Site:
    ports = {way: 9000 + number for number, way in enumerate(ways)}
    return Site(folder, 4000, Upstreams(ports, folder / "authority.pem"), folder / "cache")


def snapshot(folder: Path, launched: Launch) -> Snapshot:
    text = (folder / "gateway.toml").read_text()
    return load(text, launched.environment, read_file=Path.read_bytes, file=folder / "gateway.toml")


def test_clawgw_has_all_on_that_it_would_have_in_use(tmp_path: Path) -> None:
    launched = clawgw().launch(site(tmp_path, "plain", "tls"))
    loaded = snapshot(tmp_path, launched)
    settings = loaded.settings
    (key,) = settings.keys
    assert key.limits is not None
    assert key.limits.concurrent == 1_000_000
    caller = Callers.of(settings).find(KEY)
    assert caller is not None
    assert caller.name == "bench"
    assert (settings.server.bind, settings.server.workers, settings.limits.store) == (("127.0.0.1:4000",), 1, "memory")
    assert [settings.providers[name].base_url for name in ("plain", "second", "tls")] == [PLAIN, PLAIN, TLS]
    assert [settings.routes[name].policy for name in ("plain", "tls")] == ["sticky:route", "sticky:route"]
    assert settings.routes["one"].targets == settings.routes["hedged"].targets
    assert set(launched.asks) == {"plain", "tls", "one", "hedged"}


def test_clawgw_without_tls_or_with_other_limits(tmp_path: Path) -> None:
    limits = 'store = "redis"\nredis_url = "unix:///tmp/s"'
    loaded = snapshot(tmp_path, clawgw("c", workers=3, limits=limits).launch(site(tmp_path, "plain")))
    assert (loaded.settings.server.workers, loaded.settings.limits.store) == (3, "redis")
    assert "tls" not in loaded.settings.routes


def test_litellm_knows_each_upstream_by_its_way(tmp_path: Path) -> None:
    launched = LITELLM.launch(site(tmp_path, "plain", "tls"))
    config = json.loads((tmp_path / "config.yaml").read_text())
    assert {model["model_name"]: model["litellm_params"]["api_base"] for model in config["model_list"]} == {
        "plain": PLAIN,
        "tls": TLS,
    }
    key = config["general_settings"]["master_key"]
    assert launched.asks == {way: (way, {"authorization": f"Bearer {key}"}) for way in ("plain", "tls")}
    assert launched.command[-2:] == ["--port", "4000"]


def test_portkey_is_told_by_each_request(tmp_path: Path) -> None:
    launched = PORTKEY.launch(site(tmp_path, "plain", "tls"))
    assert {way: headers["x-portkey-custom-host"] for way, (_, headers) in launched.asks.items()} == {
        "plain": PLAIN,
        "tls": TLS,
    }
    assert "--port=4000" in launched.command


@pytest.mark.parametrize("gateway", [clawgw(), LITELLM, PORTKEY])
def test_all_trust_the_authority_of_the_mock_upstream(tmp_path: Path, gateway: Gateway) -> None:
    launched = gateway.launch(site(tmp_path, "plain", "tls"))
    assert str(tmp_path / "authority.pem") in launched.environment.values()
