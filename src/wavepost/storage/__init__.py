"""Durable state: every query, every difference between databases, the migrations.

models       the tables
database     engines and short transactions
failures     what databases say when they fail, in our words
users        queries over users
records      queries over records that can be seen
retention    how long they can, and the sweep of those whose time is over
unfinished   records whose upload is under way, and what crashes left of some
claims       idempotency keys, and the records that came of them
allowances   how much of its rate each party has used
chunks       the bytes of a record, in rows
connections  one connection for a command that goes over the whole database
inspection   whether each record's bytes are those of its receipt
copies       all rows from one database into another
cache        what was read lately, and look-ups under way
schema       brings a database to the newest migration

Knows no HTTP. Transactions are short: none is open while a body streams or a WAV converts.
Only a backup reads in a long one, and only restoring writes in one.
"""
