import os
import subprocess
import sys

import pytest

from tests.engine.avx512 import needs_avx512
from tiering.engine import vectors
from tiering.engine.jit import DISABLED
from tiering.engine.touch import scratch

SHOW = (
    "from tiering.engine.touch import scratch\n"
    "from tiering.engine.vectors import AVAILABLE\n"
    "print(AVAILABLE, scratch().vector, scratch(vector=True).vector)\n"
)


def shown(**environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", SHOW], env=os.environ | environment, check=True,
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    return result.stdout.strip()


@needs_avx512
def test_the_environment_can_choose_portable_code() -> None:
    assert shown(TIERSCOPE_SIMD="1") == "True True True"
    assert shown(TIERSCOPE_SIMD="0") == "True False True"


@pytest.mark.parametrize(
    "environment",
    [{"NUMBA_DISABLE_JIT": "1"}, {"NUMBA_CPU_NAME": "generic"}, {"NUMBA_ENABLE_AVX": "0"}],
)
def test_code_compiled_for_less_than_avx512_is_portable(environment: dict[str, str]) -> None:
    assert shown(**environment) == "False False False"


def test_with_the_compiler_off_there_is_no_vector_code() -> None:
    assert not (DISABLED and vectors.AVAILABLE)
    assert scratch(vector=True).vector is vectors.AVAILABLE
