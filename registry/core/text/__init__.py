"""What a document says, beside its bytes: the text profile `text/1` (docs/formats.md)."""
