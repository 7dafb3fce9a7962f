"""What can go wrong between a person, a cable and a board, each with the key of the text that says how to mend it."""


class CommissionError(Exception):
    """`word` is the key of a text (`node.fault.<word>`), `numbers` fill it in."""

    def __init__(self, word: str, **numbers: str | float) -> None:
        self.word = word
        self.numbers = numbers
        super().__init__(f"{word}: {numbers}")
