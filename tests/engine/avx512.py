"""Mark of tests that compare vector code with portable code."""

import pytest

from tiering.engine.jit import DISABLED
from tiering.engine.vectors import AVAILABLE, FEATURES

needs_avx512 = pytest.mark.skipif(
    not AVAILABLE,
    reason="the compiler is off" if DISABLED else f"this CPU lacks one of {', '.join(FEATURES)}",
)
