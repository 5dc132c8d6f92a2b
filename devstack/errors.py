"""What stops the local stack from starting, as one line a person can act on."""


class StackError(Exception):
    """The stack cannot start or go on; the message is one clear line without a traceback."""
