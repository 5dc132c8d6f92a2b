"""A carrier behind the part of the EasyPost v2 API that a shop uses: rates, labels, refunds, trackers."""
