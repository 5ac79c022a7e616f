"""MiniStack as the local cloud needs it: what it leaves out, or does unlike AWS, is hooked here."""
