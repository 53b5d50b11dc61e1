import signal

import pytest

from tiering.cli.interrupt import Interrupt


def test_the_first_ctrl_c_asks_and_the_second_interrupts() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupt(held=True) as interrupt:
        assert not interrupt.asked
        signal.raise_signal(signal.SIGINT)
        assert interrupt.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_ctrl_c_that_nobody_holds_interrupts_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupt(held=False) as interrupt:
        signal.raise_signal(signal.SIGINT)
    assert not interrupt.asked
