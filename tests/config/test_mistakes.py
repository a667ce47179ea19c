import pytest

from clawgw.config.mistakes import ConfigError, Mistake, did_you_mean, is_within, path_of


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (("routes", "fast", "targets", 0), "routes.fast.targets[0]"),
        (("prices", "openai/gpt-6-luna", "input"), 'prices."openai/gpt-6-luna".input'),
        (("routes", "gpt-*"), 'routes."gpt-*"'),
        (("keys", 1, "labels", 'a"b\n'), 'keys[1].labels."a\\"b\\n"'),
        (("", "x"), '"".x'),
    ],
)
def test_paths_are_written_as_toml_writes_keys(parts: tuple[str | int, ...], path: str) -> None:
    assert path_of(*parts) == path


def test_within_means_the_same_place_or_one_under_it() -> None:
    assert is_within("routes.fast", "routes.fast")
    assert is_within("routes.fast.targets[0]", "routes.fast.targets")
    assert not is_within("routes.faster", "routes.fast")
    assert not is_within("routes", "routes.fast")


def test_a_close_name_is_offered_and_a_far_one_is_not() -> None:
    assert did_you_mean("hegde_after", ["hedge_after", "weights"]) == ", did you mean hedge_after?"
    assert did_you_mean("zzz", ["hedge_after", "weights"]) == ""


def test_the_error_holds_every_mistake() -> None:
    error = ConfigError([Mistake("a", "x"), Mistake("b", "y")])
    assert str(error) == "a: x\nb: y"
    assert error.mistakes == (Mistake("a", "x"), Mistake("b", "y"))
