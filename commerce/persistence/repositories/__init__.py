"""The ports of `commerce.domain.ports.store`, one file each."""
