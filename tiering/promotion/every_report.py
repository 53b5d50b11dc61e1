"""Whatever is hot may rise: every folio becomes a candidate (docs/model.md#promotion).

kmmscand V0 has no frequency filter, no rate limit and no test for duplicates.
"""

from tiering.engine.reports import Reports


class EveryReport:
    """Stateless rule."""

    def choose(self, hot: Reports) -> Reports:
        """Candidates among the hot folios: all of them."""
        return hot
