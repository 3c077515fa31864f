"""The page that every benchmark's target serves."""

TEXT = "All systems OK"
PAGE_BYTES = 30_000
NUMBER = "00000000"
"""Where `slow_sites` writes the number of the site that is asked."""


def page(size: int = PAGE_BYTES) -> bytes:
    """Returns a web page with `TEXT` at its end, so that whoever looks for it must look through all of it."""
    head = f'<!doctype html><html><head><title>Shop</title><meta name="id" content="{NUMBER}"></head>\n'.encode()
    end = f"<footer>{TEXT}</footer></body></html>\n".encode()
    line = b'<li class="product"><a href="/product/4711">A thing, 12.90 EUR</a></li>\n'
    filling = line * (size // len(line) + 1)
    return head + filling[: size - len(head) - len(end)] + end
