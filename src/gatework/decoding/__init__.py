"""What turns scores into answers: language models by counting, sampling, beams and alignments, in native code."""
