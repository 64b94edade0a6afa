"""Recurrent layers, drop-in for torch.nn."""
