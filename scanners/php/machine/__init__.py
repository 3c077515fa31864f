"""A small machine for pure PHP: loops and functions that turn one text into another; every packer brings its own.

It computes only; there is nothing in it that reads, writes, asks or runs. What is not known, not pure or too long
ends it with `Stuck`, and then nothing of what it did counts. A node becomes a Python function when it is first used.
"""
