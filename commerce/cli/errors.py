"""How a command ends when it cannot do what was asked: one line for a person, one code for a script."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command; 2 is also what wrong usage answers."""

    FOUND = 1
    """It worked, and found something wrong: a broken invariant, a history that does not replay, a refusal."""
    CONFIGURATION = 2
    UNREACHABLE = 3
    """Something that the command talks to is not running, or does not answer."""


class CommandError(Exception):
    """Ends the command; the message is one clear line."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.code = code
