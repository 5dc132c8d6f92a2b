"""Which live histories are replayed."""

from datetime import UTC, datetime

import pytest

from commerce.cli.errors import CommandError
from commerce.cli.replay_runs import live_filter, parse_since

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", datetime(2026, 3, 10, 10, 30, tzinfo=UTC)),
        ("24h", datetime(2026, 3, 9, 12, 0, tzinfo=UTC)),
        ("7d", datetime(2026, 3, 3, 12, 0, tzinfo=UTC)),
        ("2026-03-01T08:00:00+02:00", datetime(2026, 3, 1, 6, 0, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_since_is_a_span_or_a_time(text: str, moment: datetime) -> None:
    assert parse_since(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "7w", "-3h", "1000000000d"])
def test_since_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="is no time"):
        parse_since(text, NOW)


def test_sweeps_are_left_out_and_the_callers_filter_is_kept_whole() -> None:
    ours = "WorkflowType != 'SweepWorkflow' AND StartTime >= '2026-03-10T12:00:00Z'"
    assert live_filter("", NOW) == ours
    assert live_filter("A = 1 OR B = 2", NOW) == f"(A = 1 OR B = 2) AND {ours}"
