"""A function that another one invokes."""


def handler(order: dict[str, object], _context: object) -> dict[str, bool]:
    return {"accepted": "id" in order}
