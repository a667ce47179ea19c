"""Files with one mistake of shape each, and the line that tells of it."""

from typing import Any

MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"server": {"workers": True}}, "server.workers: must be a whole number, not true or false"),
    ({"server": {"workers": "4"}}, "server.workers: must be a whole number, not a string"),
    ({"server": {"workers": 4.0}}, "server.workers: must be a whole number, not a number"),
    ({"server": {"workers": 0}}, "server.workers: must be at least 1"),
    ({"server": {"workers": 2**64}}, "server.workers: must be a finite number of at most 64 bits"),
    ({"server": {"drain_s": float("nan")}}, "server.drain_s: must be a finite number of at most 64 bits"),
    ({"server": {"drain_s": float("inf")}}, "server.drain_s: must be a finite number of at most 64 bits"),
    ({"server": {"drain_s": False}}, "server.drain_s: must be a number, not true or false"),
    ({"server": {"bind": "127.0.0.1:80"}}, "server.bind: must be a list, not a string"),
    ({"server": {"bind": []}}, "server.bind: must name at least one address"),
    ({"server": {"tls_cert": 1}}, "server.tls_cert: must be a string, not a whole number"),
    ({"server": [1]}, "server: must be a table, not a list"),
    ({"auth": {"required": "false"}}, "auth.required: must be true or false, not a string"),
    ({"log": {"fsync": "intervall"}}, "log.fsync: must be one of interval, always, did you mean interval?"),
    ({"log": {"fsync": 1}}, "log.fsync: must be a string, not a whole number"),
    ({"providers": {"openai": 5}}, "providers.openai: must be a table, not a whole number"),
    ({"providers": []}, "providers: must be a table, not a list"),
    ({"routes": {"x": {}}}, "routes.x.targets: missing"),
    ({"routes": {"x": {"targets": [], "policy": "p:f"}}}, "routes.x.targets: must name at least one target"),
    ({"routes": {"x": {"targets": ["a/b"], "policy": "p.f"}}}, "routes.x.policy: must be module:function"),
    (
        {"routes": {"fast": {"targets": ["a/b"], "hegde_after": 1}}},
        "routes.fast.hegde_after: unknown key, did you mean hedge_after?",
    ),
    (
        {"routes": {"x": {"targets": ["a/b"], "hedge_after": []}}},
        "routes.x.hedge_after: must be a string or a number, not a list",
    ),
    (
        {"routes": {"x": {"targets": ["a/b"], "hedge_after": float("nan")}}},
        "routes.x.hedge_after: must be a finite number of at most 64 bits",
    ),
    ({"zzzzz": 1}, "zzzzz: unknown key"),
    ({"breaker": {"failure_ratio": 1.01}}, "breaker.failure_ratio: must be at most 1"),
    ({"prices": {"gpt": {"input": 1, "output": 1}}}, "prices.gpt: must be provider/model"),
    ({"limits": {"labels": {"search": {}}}}, "limits.labels.search: must be a label, name:value"),
]
