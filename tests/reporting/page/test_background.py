import urllib.request

import pytest

from tunesmith.errors import UsageError
from tunesmith.reporting.page.background import serve
from tunesmith.testing.records import make_record


def test_a_page_is_served_until_it_is_closed() -> None:
    record = make_record([{"x": 1}, {"x": 2}])
    page = serve(lambda: record)
    try:
        assert page.url in repr(page)
        assert page.url in page._repr_html_()
        with urllib.request.urlopen(page.url, timeout=10) as answer:  # noqa: S310 - loopback
            assert b"example" in answer.read()
        with pytest.raises(UsageError, match="Use another one, or 0"):
            serve(lambda: record, page.server.server_port)
        with pytest.raises(UsageError, match="must be 0-65535"):
            serve(lambda: record, 99_999)
    finally:
        page.close()
    assert not page.thread.is_alive()
