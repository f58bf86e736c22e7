"""Orders that nothing can lose or repeat: processes that are killed, replicas that race, and the costs."""
