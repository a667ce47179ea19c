from clawgw.serve.inheritance import Inheritance, inherited


def test_what_a_supervisor_leaves_is_what_its_worker_gets() -> None:
    inheritance = Inheritance([3, 4], "i1")
    assert inherited(inheritance.environment()) == inheritance


def test_whoever_has_no_supervisor_inherits_nothing() -> None:
    assert inherited({}) is None
