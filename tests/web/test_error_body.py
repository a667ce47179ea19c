import json

import pytest

from clawgw.errors import (
    GatewayError,
    InternalError,
    InvalidRequest,
    RequestTimeout,
    Unavailable,
    UpstreamFailed,
    UpstreamRateLimited,
)
from clawgw.web.error_body import error_event, error_headers, error_json


@pytest.mark.parametrize(
    ("error", "retry_after", "should_retry"),
    [
        (InvalidRequest("no"), None, "false"),
        (InternalError("no"), None, "false"),
        (UpstreamFailed("no"), None, "false"),
        (RequestTimeout("no"), None, None),
        (Unavailable("no"), "1", None),
        (Unavailable("no", retry_after_s=60), "60", None),
        (UpstreamRateLimited("no"), "1", "false"),
        (UpstreamRateLimited("no", retry_after_s=0.2), "1", "false"),
        (UpstreamRateLimited("no", retry_after_s=3599.1), "3600", "false"),
        (UpstreamRateLimited("no", retry_after_s=3600.0000000000146), "3600", "false"),
    ],
)
def test_the_headers_say_whether_and_when_to_try_again(
    error: GatewayError, retry_after: str | None, should_retry: str | None
) -> None:
    headers = error_headers(error)
    assert headers.get("retry-after") == retry_after
    assert headers.get("x-should-retry") == should_retry
    assert headers["content-type"] == "application/json"


def test_the_body_is_openais_with_our_id_inside() -> None:
    assert json.loads(error_json(InvalidRequest("bad n", param="n", code="c"), "req_1")) == {
        "error": {
            "message": "bad n",
            "type": "invalid_request_error",
            "param": "n",
            "code": "c",
            "request_id": "req_1",
        }
    }


def test_an_event_is_one_line_of_data() -> None:
    event = error_event(InvalidRequest("two\nlines"), "req_1")
    assert event.startswith(b"data: {")
    assert event.endswith(b"}\n\n")
    assert event.count(b"\n") == 2
