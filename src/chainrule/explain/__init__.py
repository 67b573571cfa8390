"""What a network does, step by step: what each input adds to a prediction."""
