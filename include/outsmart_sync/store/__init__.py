"""The store: connections, tokens, settings, cursors, staging, the mirror and the sync log, in one SQL database."""
