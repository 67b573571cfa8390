"""Model files: a fitted estimator as one safetensors file, and back; nothing in a file is ever run."""
