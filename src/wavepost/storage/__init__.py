"""Durable state: every query, every difference between databases, the migrations.

models       the tables
database     engines, short transactions, and the databases' errors in our words
users        queries over users
records      queries over records that are ready
unfinished   records whose upload is under way, and what crashes left of some
claims       idempotency keys, and the records that came of them
chunks       the bytes of a record, in rows
schema       brings a database to the newest migration

Knows no HTTP. Transactions are short: none is open while a body streams or a WAV converts.
"""
