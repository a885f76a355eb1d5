"""Identity of what lives in memory: by its content, so that a ledger recognises it later."""
