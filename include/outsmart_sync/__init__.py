"""OutSmart Sync."""
