"""Many share, one is alone, nobody waits for himself."""

import threading

import pytest

from rnnpipe.shim.lock import SharedLock

LONG = 10  # seconds after which a test has failed


def run(*functions):
    """Run each in its own thread and hand back what they raise."""
    errors = []

    def guarded(function):
        try:
            function()
        except (KeyError, RuntimeError, threading.BrokenBarrierError) as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(f,), daemon=True) for f in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert not any(thread.is_alive() for thread in threads), "a thread waits for ever"
    if errors:
        raise errors[0]


def test_sharing_is_at_the_same_time():
    lock, meeting = SharedLock(), threading.Barrier(3)

    def share():
        with lock.shared():
            meeting.wait(LONG)

    run(share, share, share)


@pytest.mark.parametrize("enter", [SharedLock.shared, SharedLock.exclusive])
def test_alone_is_alone(enter):
    lock, order, started = SharedLock(), [], threading.Event()

    def late():
        started.set()
        with enter(lock):
            order.append("late")

    with lock.exclusive():
        thread = threading.Thread(target=late, daemon=True)
        thread.start()
        started.wait(LONG)
        thread.join(0.05)
        order.append("alone")
    thread.join(LONG)
    assert order == ["alone", "late"]


def test_no_update_is_lost():
    lock, total = SharedLock(), [0]

    def add():
        for _ in range(300):
            with lock.exclusive():
                value = total[0]
                with lock.shared():
                    total[0] = value + 1

    run(add, add, add)
    assert total == [900]


def test_entering_again():
    lock = SharedLock()

    def alone():
        with lock.exclusive(), lock.exclusive(), lock.shared(), lock.shared():
            pass

    def share():
        with lock.shared(), lock.shared():
            pass

    run(alone, share)
    run(alone)  # everything was given back


def test_who_shares_may_enter_again_though_another_waits_to_be_alone():
    lock, order = SharedLock(), []
    shared, waiting = threading.Event(), threading.Event()

    def share():
        with lock.shared():
            shared.set()
            waiting.wait(LONG)
            while not lock._waiting:
                pass
            with lock.shared():
                order.append("shared")

    def alone():
        shared.wait(LONG)
        waiting.set()
        with lock.exclusive():
            order.append("alone")

    run(share, alone)
    assert order == ["shared", "alone"]


def test_from_shared_to_alone_is_an_error_not_a_deadlock():
    lock = SharedLock()
    with lock.shared(), pytest.raises(RuntimeError) as error, lock.exclusive():
        pass
    assert str(error.value) == (
        "TorchShim: expected no prediction in progress in the thread that changes the weights, "
        "got one. Exit evaluation() before training or loading."
    )
    with lock.exclusive():
        pass


@pytest.mark.parametrize("enter", [SharedLock.shared, SharedLock.exclusive])
def test_errors_give_it_back(enter):
    lock = SharedLock()
    with pytest.raises(KeyError), enter(lock):
        raise KeyError

    def alone():
        with lock.exclusive():
            pass

    run(alone)
