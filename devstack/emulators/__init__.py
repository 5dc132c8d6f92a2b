"""Provider emulators: separate processes that judge the books, so they share no code with the product."""
