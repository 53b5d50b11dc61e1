"""Whatever is hot may rise: every folio becomes a candidate (docs/model.md#promotion).

kmmscand V0 has no frequency filter, no rate limit and no test for duplicates.
"""

import numpy as np
from numpy.typing import NDArray


class EveryReport:
    """Stateless rule."""

    def choose(self, hot: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Candidates (u32 folio indices) among the hot folios: all of them."""
        return hot
