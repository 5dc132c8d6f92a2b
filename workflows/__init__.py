"""Durable processes, one thin module per workflow. They import contracts and activity definitions only."""
