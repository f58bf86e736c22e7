"""Ways to the bytes: tokens, staging, on-demand processing. Flows yield requests; they open no sockets."""
