"""A command of zspace that is killed at a chosen place: run in a process of its own, which may not come back."""

import os
import signal
import sys
from multiprocessing import get_context

_WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir"}

processes = get_context("forkserver")
# Imports take longer than the studies: the server does them once.
processes.set_forkserver_preload(["zspace.workflows.study", "zspace.cli.verbs", "matplotlib.pyplot"])


def run(arguments, kill_at=None):
    """Run the command line; return its exit code, or minus the number of the signal that ended it.

    Parameters
    ----------
    arguments
        As on the command line; ``--out`` is followed by the folder.
    kill_at
        SIGKILL the process just before so many changes below ``--out``, counted from 1; None lets it live.
    """
    process = processes.Process(target=_run, args=([str(argument) for argument in arguments], kill_at))
    process.start()
    process.join()
    return process.exitcode


def _run(arguments, kill_at):
    out = arguments[arguments.index("--out") + 1]
    n_left = [kill_at or sys.maxsize]

    def count(event, details):
        if _is_change(event, details) and str(details[0]).startswith(out):
            n_left[0] -= 1
            if n_left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    from zspace.cli.run import main

    main(arguments)


def _is_change(event, details):
    is_written = event == "open" and isinstance(details[2], int) and details[2] & (os.O_WRONLY | os.O_RDWR)
    return bool(event in _WRITES or is_written)
