"""The page that every benchmark's target serves."""

TEXT = "All systems OK"
PAGE_BYTES = 30_000


def page(size: int = PAGE_BYTES) -> bytes:
    """Returns a web page with `TEXT` at its end, so that whoever looks for it must look through all of it."""
    head = b"<!doctype html><html><head><title>Shop</title></head><body>\n"
    end = f"<footer>{TEXT}</footer></body></html>\n".encode()
    line = b'<li class="product"><a href="/product/4711">A thing, 12.90 EUR</a></li>\n'
    filling = line * (size // len(line) + 1)
    return head + filling[: size - len(head) - len(end)] + end
