"""What documents say: read, registered, kept, compared, explained, proved."""
