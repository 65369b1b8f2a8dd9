"""`wavepost watch`: a folder into which a phone system writes becomes links, by itself.

starting   the command: its folders, its lock, its parts
watching   the loop: what is begun, and what is done about what became of it
looking    what there is to send: all of the tree at times, and what changes are told of
filing     what is through is journalled, and put away only then
tree       the folder: what is in it, without following a link out of it
events     hears of changes at once; what is missed, the next look at the whole tree finds
mailbox    what threads and signals tell the loop
waiting    the files that are not sent: from when they may be, and the oldest first
lease      whether somebody has a file open for writing
delivery   one file on its way to the server
line       whether the server may be asked now, or is left in peace for a while
journal    what has become of every file, on the disk
disposal   what is sent is left, moved or deleted
report     what the command says
status     what waits, what is sent and what is set aside, for `--status`

Nothing here needs to be tidied up after a crash: a file is waiting as long as the journal does not
say what became of it, and what the server has already it is not sent twice.
"""
