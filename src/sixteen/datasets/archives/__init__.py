"""Archives that datasets come in: fetched, checked by digest, and read without being unpacked."""
