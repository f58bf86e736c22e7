"""Names of the environment variables that hold accounts."""


def setting(catalogue: str, member: str) -> str:
    """Return the environment variable that holds a member of a catalogue's account."""
    return f"STACBRIDGE_CREDENTIALS__{catalogue}__{member}".upper()
