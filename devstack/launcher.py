"""Becomes another program that ends when its starter ends: `launcher.py SIGNAL PARENT PROGRAM ARGS…`.

Run by `python -I -S`. The parent-death signal is set here, after the fork, because setting it in the
starter would run Python code between fork and exec, which is unsafe beside other threads.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    death_signal, parent, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the starter ended first")
    try:
        os.execvp(program[0], program)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.exit(f"cannot run {program[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
