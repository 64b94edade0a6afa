"""Transcription: what is said in a recording."""
