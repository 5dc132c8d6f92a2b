"""What every provider emulator needs: journal, webhook sender, fault table, control routes, server."""
