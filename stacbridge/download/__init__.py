"""The data plane: bytes from an upstream to a client, in constant memory, whole or cut."""
