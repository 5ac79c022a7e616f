"""The one port of the local cloud: what comes in, and who answers it."""
