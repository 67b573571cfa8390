"""Tables: read and written as files, encoded as float32 matrices, split into training and validation."""
