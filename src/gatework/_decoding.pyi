"""The native side of decoding; the modules of `gatework.decoding` are the only callers."""
