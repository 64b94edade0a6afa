"""Losses over large vocabularies: the whole softmax in blocks, a sampled one, and an adaptive one."""
