"""What `hydrant deploy` wrote, read back: by tool, and its policies."""
