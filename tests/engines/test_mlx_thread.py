"""One thread computes with MLX: what becomes of it in other threads, in forked processes, and when the process ends."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

import penpal_fast
from helpers.concurrency import run_in_threads
from helpers.models import random_model
from penpal_fast import ModelConfig, Reader, Scorer
from penpal_fast.engines.mlx_thread import go_on, run_on_mlx_thread

ROWS = [[[(0, 0), (1, 1), (2, step)]] for step in range(4)]

BEGIN = f"import os, sys, signal, threading, penpal_fast\nrows = {ROWS!r}\n"

USES = {
    "the engine": "penpal_fast.Scorer(backend='mlx').score(rows)",
    "the reader": "penpal_fast.Reader(backend='mlx').read(rows)",
    "rendering": "penpal_fast.render_batch(rows)",
    "a model": "penpal_fast.QualityClassifier.from_pretrained()",
    "other code": "import mlx.core as mx; mx.eval(mx.ones(3) + 1)",
}


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads where Linux lists them")
def test_calls_from_many_threads_leave_none_behind(reader_folder):
    scorer, reader = Scorer(backend="mlx", threads=1), Reader(reader_folder, backend="mlx", threads=1)

    def work():
        scorer.score(ROWS)
        reader.read(ROWS)
        penpal_fast.render_batch(ROWS, threads=1)

    work()
    before = sum(1 for _ in Path("/proc/self/task").iterdir())
    for _ in range(10):
        run_in_threads(work, 1)
    # A thread that has ended is listed a moment longer.
    assert sum(1 for _ in Path("/proc/self/task").iterdir()) <= before + 3


@pytest.mark.parametrize("using", USES)
def test_a_process_that_is_forked_after_mlx_was_used_says_so(using):
    """Whoever used MLX before, and whatever is made of it after."""
    children = [name for name in USES if name != "other code"]
    done = run(
        f"{BEGIN}{USES[using]}\n"
        f"for use in {[USES[name] for name in children]}:\n"
        "    if os.fork() == 0:\n"
        "        signal.alarm(20)\n"
        "        try: exec(use)\n"
        "        except penpal_fast.PenpalError as error: print(error, flush=True)\n"
        "        os._exit(0)\n"
        "    assert os.wait()[1] == 0\n"
    )
    assert done.returncode == 0, done.stderr
    said = "MLX does not work in a forked process, as it was used before the fork"
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [said] * len(children)


def test_a_model_from_before_the_fork_says_so():
    """Its tensors are computed when they are looked at."""
    done = run(
        f"{BEGIN}model, reader = penpal_fast.QualityClassifier().eval(), penpal_fast.ReaderNetwork().eval()\n"
        f"{USES['the engine']}\n"
        "for use in (lambda: penpal_fast.Scorer(model), model.tensors, lambda: model.save_pretrained('model'),\n"
        "            reader.tensors, lambda: reader.save_pretrained('model')):\n"
        "    if os.fork() == 0:\n"
        "        signal.alarm(20)\n"
        "        try: use()\n"
        "        except penpal_fast.PenpalError as error: print(error, flush=True)\n"
        "        os._exit(0)\n"
        "    assert os.wait()[1] == 0\n"
    )
    assert done.returncode == 0, done.stderr
    said = "MLX does not work in a forked process, as it was used before the fork"
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [said] * 5


def test_a_process_that_is_forked_before_mlx_is_used_can_use_it():
    done = run(
        f"{BEGIN}import mlx.core\n"
        "if os.fork() == 0:\n"
        "    signal.alarm(40)\n"
        "    print(len(penpal_fast.Scorer(backend='mlx').score(rows)), flush=True)\n"
        "    os._exit(0)\n"
        "assert os.wait()[1] == 0\n"
    )
    assert done.stdout == "4\n", done.stderr


@pytest.mark.parametrize(
    "score", ["penpal_fast.Scorer(backend='mlx').score", "penpal_fast.Reader(backend='mlx').read"], ids=["look", "read"]
)
def test_a_thread_that_scores_when_the_process_ends_does_not_abort_it(score):
    """Before MLX had a thread of its own, up to four runs of five ended with an abort."""
    program = (
        f"{BEGIN}score, begun = {score}, threading.Event()\n"
        "def work():\n"
        "    while True:\n"
        "        score(rows * 4)\n"
        "        begun.set()\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "begun.wait()\n"
    )
    ends = [run(program) for _ in range(2)]
    assert [(done.returncode, done.stderr) for done in ends] == [(0, "")] * 2


def test_work_after_the_end_is_refused():
    done = run(
        f"import atexit\n{BEGIN}"
        "atexit.register(lambda: penpal_fast.render_batch(rows))\n"
        "penpal_fast.render_batch(rows)\n"
    )
    assert "the process is ending, so MLX takes no more work" in done.stderr


def test_interrupts_end_the_call_and_the_process_without_an_abort():
    program = (
        f"import numpy as np, penpal_fast\nrows = [[np.array(rows[0][0], np.float64)] for rows in [{ROWS!r}]] * 2000\n"
        "scorer = penpal_fast.Scorer(backend='mlx')\nprepared = penpal_fast._core.Rows(rows)\n"
        "print('ready', flush=True)\nscorer._engine.score(prepared)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        for _ in range(5):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        try:
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert b"KeyboardInterrupt" in errors
    assert process.returncode != -signal.SIGABRT


def test_work_that_nobody_waits_for_is_left():
    """An interrupt ends the wait; the work notices at its next step, and further work is taken."""
    begun, left = threading.Event(), []

    def work():
        begun.set()
        try:
            while True:
                go_on()
                time.sleep(0.001)
        except BaseException as error:
            left.append(type(error).__name__)
            raise

    def interrupt():
        begun.wait()
        # Python drops an interrupt that arrives while it removes an object; a user presses Ctrl-C again.
        while not stopped.wait(3 if signalled else 0):
            signalled.append(signal.pthread_kill(threading.main_thread().ident, signal.SIGINT))

    stopped, signalled = threading.Event(), []
    interrupter = threading.Thread(target=interrupt, daemon=True)
    interrupter.start()
    with contextlib.suppress(KeyboardInterrupt):  # A second one may come before the first is dealt with.
        with pytest.raises(KeyboardInterrupt):
            run_on_mlx_thread(work)
        stopped.set()
    stopped.set()
    interrupter.join()
    assert run_on_mlx_thread(lambda: 7) == 7
    assert left == ["AbandonedError"]


def test_a_model_that_was_given_is_scored_as_it_is_and_stays_so():
    """Also a model whose weights are not computed yet, and which its owner goes on to change."""
    model = random_model(ModelConfig())
    model.head.weight = model.head.weight * 2
    scorer = Scorer(model, backend="mlx")
    expected = Scorer(model, backend="native").score(ROWS)
    model.head.weight = model.head.weight * 100
    mx.eval(model.parameters())
    assert np.allclose(scorer.score(ROWS), expected, atol=1e-4)
