"""The local cloud: AWS on a laptop for one app."""
