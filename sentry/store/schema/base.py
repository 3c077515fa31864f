"""What the tables have in common."""

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData()

EVENT_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite's own row number, which is 64 bits wide
