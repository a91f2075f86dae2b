"""Text scrutiny: a prompt in, a `TextVerdict` and one prompt per picture out."""
