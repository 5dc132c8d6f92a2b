"""The schema's history, forward only. Run by `commerce.persistence.migrate`, as the owner role.

Each revision also says what `commerce_app` and `commerce_readonly` may do with its tables.
"""
