"""The suite: unit (no network, no database), integration (both databases), e2e (the process)."""
