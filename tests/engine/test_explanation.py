"""What is told of a plan, worked out by hand from the configuration and from how `routing.schedule` starts attempts."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from clawgw.config.callers import Caller
from clawgw.engine.explanation import ExplainedAttempt, ExplainedQuota, Explanation, LeftOut, explain
from clawgw.errors import ModelNotAllowed, ModelNotFound
from clawgw.policies.functions import PolicyFunction
from clawgw.policies.guard import PolicyFailure
from clawgw.policy import After, AtOnce, Charge, OnFailure, Plan, PlannedAttempt, RequestFacts, Start, TargetView
from clawgw.routing.catalogue import Catalogue
from tests.config.loading import snapshot

KEYS = {"OPENAI_API_KEY": "sk-1", "GROQ_API_KEY": "sk-2"}
CATALOGUE = Catalogue({"openai": {"gpt": {"context": 4096}}, "groq": {"oss": {}}})
ROUTE = """
[routes.r]
targets = ["openai/gpt", "groq/oss", "mistral/small"]
"""
NO_KEY = "no key: set MISTRAL_API_KEY"


def explained(
    text: str,
    model: str = "r",
    policies: Mapping[str, PolicyFunction] | None = None,
    caller: Caller | None = None,
    **facts: Any,
) -> Explanation:
    files = {"/etc/clawgw/policies/p.py": b""}
    return explain(
        RequestFacts(model, **facts), caller or Caller(), snapshot(text, KEYS, files), CATALOGUE, policies or {}
    )


def starts(explanation: Explanation) -> list[tuple[Any, ...]]:
    return [(str(each.view.target), each.triggers, each.after_s, each.after_silence_s) for each in explanation.attempts]


def planning(*planned: Start, reason: str = "mine") -> Mapping[str, PolicyFunction]:
    """A policy that starts its first target again and again, each time in one of these ways."""

    def route(_request: RequestFacts, targets: Sequence[TargetView], _options: Mapping[str, Any]) -> Plan:
        return Plan([PlannedAttempt(targets[0].target, start) for start in planned], reason)

    return {"p:f": route}


WITH_POLICY = ROUTE + 'policy = "p:f"\n'


def test_a_route_in_the_configured_order() -> None:
    told = explained(ROUTE)
    assert (told.resolved.claim, told.resolved.route) == ("route", "r")
    assert (told.strategy, told.policy, told.policy_failure) == ("failover", None, None)
    assert (told.reason, told.left_out) == ("in the configured order", ())
    assert starts(told) == [
        ("openai/gpt", ("primary",), 0.0, None),
        ("groq/oss", ("failover", "silence"), None, 4.0),
        ("mistral/small", ("failover", "silence"), None, 4.0),
    ]
    assert [each.skipped for each in told.attempts] == [None, None, NO_KEY]
    assert [each.view.ready for each in told.attempts] == [True, True, False]


def test_what_is_known_of_a_target() -> None:
    told = explained(f'{ROUTE}[prices."groq/oss"]\ninput = 0.5\noutput = 2\n')
    known = [(each.view.input_price, each.view.output_price, each.view.context_window) for each in told.attempts]
    assert known[1] == (0.5, 2.0, None)
    assert known[0][2] == 4096


def test_the_numbers_of_the_route() -> None:
    told = explained(ROUTE + "max_attempts = 1\nfailover_after_s = 1.5\ndeadline_s = 9\n")
    assert (told.resolved.max_attempts, told.resolved.deadline_s) == (1, 9.0)
    assert [each.after_silence_s for each in told.attempts] == [None, 1.5, 1.5]
    assert [each.is_spare for each in told.attempts] == [False, True, True]


def test_what_is_skipped_is_no_attempt() -> None:
    told = explained('[routes.r]\ntargets = ["mistral/small", "openai/gpt", "groq/oss"]\nmax_attempts = 1')
    assert [each.is_spare for each in told.attempts] == [False, False, True]


def test_a_strategy_decides() -> None:
    told = explained(ROUTE + 'strategy = "hedge"\nhedge_after = 0.7\n')
    assert told.strategy == "hedge"
    assert starts(told)[1] == ("groq/oss", ("hedge", "failover"), 0.7, None)
    assert told.reason.startswith("groq/oss joins openai/gpt after 0.70 s")


def test_the_dice_and_the_size_count() -> None:
    weighted = ROUTE + 'strategy = "weighted"\nweights = [1, 1, 0]\n'
    assert starts(explained(weighted, random=0.4))[0][0] == "openai/gpt"
    assert starts(explained(weighted, random=0.6))[0][0] == "groq/oss"


def test_a_race_starts_together() -> None:
    told = explained(
        '[routes.r]\ntargets = ["openai/gpt", "groq/oss", "echo/echo"]\nstrategy = "race"\nmax_attempts = 2'
    )
    assert [each.triggers for each in told.attempts] == [("primary",), ("race",), ("failover", "silence")]


@pytest.mark.parametrize(
    ("start", "triggers", "after_s", "after_silence_s"),
    [
        (AtOnce(), ("race",), 0.0, None),
        (After(0), ("hedge", "failover"), 0.0, None),
        (After(8.9), ("hedge", "failover"), 8.9, None),
        (After(9), ("failover",), None, None),
        (After(math.inf), ("failover",), None, None),
        (OnFailure(), ("failover", "silence"), None, 4.0),
        (OnFailure(2.5), ("failover", "silence"), None, 2.5),
        (OnFailure(9), ("failover",), None, None),
        (OnFailure(math.inf), ("failover",), None, None),
    ],
)
def test_what_starts_an_attempt(
    start: Start, triggers: tuple[str, ...], after_s: float | None, after_silence_s: float | None
) -> None:
    told = explained(WITH_POLICY + "deadline_s = 9\n", policies=planning(OnFailure(), start))
    assert starts(told) == [
        ("openai/gpt", ("primary",), 0.0, None),
        ("openai/gpt", triggers, after_s, after_silence_s),
    ]


@pytest.mark.parametrize(
    ("failover_after_s", "silences"), [(1.5, [None, 1.5, 7.0, None, 1.5]), (9.0, [None, None, 7.0, None, None])]
)
def test_silences_that_the_plan_does_not_name_are_the_routes(
    failover_after_s: float, silences: list[float | None]
) -> None:
    policies = planning(AtOnce(), OnFailure(), OnFailure(7.0), After(1.0), OnFailure())
    told = explained(f"{WITH_POLICY}deadline_s = 9\nfailover_after_s = {failover_after_s}\n", policies=policies)
    assert [each.after_silence_s for each in told.attempts] == silences


def test_no_more_start_at_once_than_there_may_be_attempts() -> None:
    told = explained(WITH_POLICY + "max_attempts = 2\n", policies=planning(AtOnce(), AtOnce(), AtOnce()))
    assert [(each.triggers, each.after_s, each.is_spare) for each in told.attempts] == [
        (("primary",), 0.0, False),
        (("race",), 0.0, False),
        (("failover",), None, True),
    ]


def test_a_policy_may_give_no_reason() -> None:
    assert explained(WITH_POLICY, policies=planning(AtOnce(), reason="")).reason == ""


def test_at_once_after_a_wait_is_a_failover() -> None:
    told = explained(WITH_POLICY, policies=planning(AtOnce(), OnFailure(), AtOnce()))
    assert told.attempts[2].triggers == ("failover",)


def test_a_policy_leaves_targets_out() -> None:
    told = explained(WITH_POLICY, policies=planning(AtOnce()))
    assert (told.strategy, told.policy, told.reason) == (None, "p:f", "mine")
    assert told.left_out == (
        LeftOut("groq/oss", "the policy leaves it out"),
        LeftOut("mistral/small", "the policy leaves it out"),
    )


def test_a_policy_that_fails_is_told_of() -> None:
    told = explained(WITH_POLICY, policies=planning())
    assert told.policy_failure == PolicyFailure("rubbish", "the plan has no attempts")
    assert [str(each.view.target) for each in told.attempts] == ["openai/gpt", "groq/oss", "mistral/small"]
    assert told.left_out == ()


def test_policies_get_the_facts() -> None:
    seen = []

    def route(request: RequestFacts, targets: Sequence[TargetView], _options: Mapping[str, Any]) -> Plan:
        seen.append(request)
        return Plan([PlannedAttempt(targets[0].target)])

    told = explained(WITH_POLICY, policies={"p:f": route}, user="u", estimated_tokens=7, now=1.5, random=0.25)
    assert seen == [RequestFacts("r", user="u", estimated_tokens=7, now=1.5, random=0.25)]
    assert told.facts == seen[0]


def test_quotas_are_told_one_by_one_though_the_routes_policy_fails() -> None:
    def by_user(request: RequestFacts, options: Mapping[str, Any]) -> Sequence[Charge]:
        return [Charge(f"user:{request.user}", concurrent=options["size"])]

    quotas: Mapping[str, PolicyFunction] = {"p:user": by_user, "p:none": lambda *_: [], "p:lost": lambda *_: None}
    text = WITH_POLICY + '[policies]\nquota = ["p:lost", "p:user", "p:none"]\noptions = { size = 3 }'
    told = explained(text, policies={**planning(), **quotas}, user="u")
    assert told.policy_failure == PolicyFailure("rubbish", "the plan has no attempts")
    assert told.quotas == (
        ExplainedQuota("p:lost", (), PolicyFailure("rubbish", "returned NoneType, not a sequence of Charge")),
        ExplainedQuota("p:user", (Charge("user:u", concurrent=3),), None),
        ExplainedQuota("p:none", (), None),
    )


FALLBACKS = """
[defaults]
provider = "openai"
fallback_providers = ["groq", "mistral", "openai"]
"""


@pytest.mark.parametrize(("model", "claim"), [("gpt", "catalogue"), ("unheard-of", "default")])
def test_fallback_providers_without_a_key_are_left_out(model: str, claim: str) -> None:
    told = explained(FALLBACKS, model)
    assert told.resolved.claim == claim
    assert [str(each.view.target) for each in told.attempts] == [f"openai/{model}", "groq/openai/gpt-oss-120b"]
    assert told.left_out == (LeftOut("mistral/mistral-small-latest", NO_KEY),)


def test_no_fallbacks_for_embeddings() -> None:
    told = explained(FALLBACKS, "gpt", endpoint="embeddings")
    assert [left_out.target for left_out in told.left_out] == [
        "groq/openai/gpt-oss-120b",
        "mistral/mistral-small-latest",
    ]
    assert {left_out.why for left_out in told.left_out} == {"its vectors would not mix with another model's"}


def test_a_target_without_the_endpoint_is_skipped() -> None:
    told = explained(
        """
        [providers.anthropic]
        [routes.r]
        targets = ["anthropic/claude", "groq/oss", "openai/gpt", "mistral/embed"]
        max_attempts = 1
        """,
        endpoint="embeddings",
    )
    assert [(each.skipped, each.is_spare) for each in told.attempts] == [
        ("no key: set ANTHROPIC_API_KEY", False),
        ("groq has no embeddings.", False),
        (None, False),
        (NO_KEY, True),
    ]


@pytest.mark.parametrize("endpoint", ["chat.completions", "completions"])
def test_every_target_has_the_other_endpoints(endpoint: str) -> None:
    told = explained('[routes.r]\ntargets = ["groq/oss", "openai/gpt"]\n', endpoint=endpoint)
    assert [each.skipped for each in told.attempts] == [None, None]


def test_a_provider_that_was_named_has_no_fallbacks_to_leave_out() -> None:
    assert explained(FALLBACKS, "openai/gpt").left_out == ()


def test_an_unknown_model_is_what_a_client_would_be_told() -> None:
    with pytest.raises(ModelNotFound, match="The model `zzz` is not known here"):
        explained(ROUTE, "zzz")


def test_a_key_may_not_cover_the_model() -> None:
    with pytest.raises(ModelNotAllowed, match="this key may not use 'r'"):
        explained(ROUTE, caller=Caller("k", ("gpt-*",)))


def test_an_attempt_is_all_there_is_to_it() -> None:
    (attempt,) = explained("", "echo/echo").attempts
    assert attempt == ExplainedAttempt(attempt.view, ("primary",), 0.0, None, None, is_spare=False)
