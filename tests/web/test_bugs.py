import logging

import pytest

from clawgw.web.bugs import report_bug


def stumble() -> None:
    raise KeyError("sk-secret, and what the user wrote")


def test_one_line_tells_where_and_nothing_of_what(caplog: pytest.LogCaptureFixture) -> None:
    try:
        stumble()
    except KeyError as error:
        report_bug(ExceptionGroup("outer", [error]), "req_1")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    text = record.getMessage()
    assert text.startswith("req_1 internal_error: KeyError at ")
    assert text.index("in stumble") < text.index("in test_one_line_tells")
    assert "\n" not in text
    assert "secret" not in text
    assert record.exc_info is None


def test_an_exception_that_was_never_raised(caplog: pytest.LogCaptureFixture) -> None:
    report_bug(ValueError("x"), "req_1")
    assert caplog.records[0].getMessage() == "req_1 internal_error: ValueError at "
