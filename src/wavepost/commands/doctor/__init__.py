"""`wavepost doctor`: looks at a service from where its users are, through its proxy.

A check finds all well, or says what is wrong and which line to change.

  verdicts    what a check can end with
  target      the URL that was given
  visit       asks the service, within bounds, for its answers are a stranger's
  wire        one request whose bytes go out one by one, where a client library can't wait
  refusals    what an answer that nobody hoped for means
  account     who uploads meanwhile, and how all that was made is removed again
  noise       the WAVs that are sent
  reaching, sending, streaming, resuming, fetching      the checks
  examination runs them, in order
  report      what people and programs read
"""
