"""An S3 server that nobody here wrote."""
