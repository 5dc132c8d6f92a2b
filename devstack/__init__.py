"""The local stack: real servers, provider emulators and seed data, without Docker."""
