"""What crosses a boundary: messages, ids, names, queues, statuses, money, error types.

Standard library and pydantic only; imported by every other package and by the workflow sandbox.
Fields of messages are only ever added, and then with a default: a running workflow may hold the old shape.
"""
