"""Numbers as short as they can be read."""


def compact(number: int) -> str:
    """A count in at most four characters and a letter: 980, 1.2k, 34k, 1.2M."""
    unit, value = ("k", number / 1_000) if number < 999_500 else ("M", number / 1_000_000)
    if number < 1000:
        return str(number)
    return f"{value:.1f}{unit}" if value < 9.95 else f"{value:.0f}{unit}"


def dollars(amount: float) -> str:
    """Money with as many digits as it takes to see it."""
    return f"${amount:.2f}" if amount >= 1 else f"${amount:.4f}"


def counted(number: int, noun: str) -> str:
    """`1 line`, `1,200 lines`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
