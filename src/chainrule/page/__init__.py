"""The page on which one watches a network learn: the session, which knows no web, and its server."""
