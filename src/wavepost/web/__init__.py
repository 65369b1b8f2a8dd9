"""The only code that knows HTTP.

app           puts it together
routes/       thin endpoints: one file a subject
answers       the JSON that goes out
problems      errors as application/problem+json
openapi       the document behind /docs
uploads       a recording coming in, in both shapes
forms         multipart/form-data, part by part while it arrives
body          the request's body: silence, length and digest watched
caller        who is asking
conditions    ranges and conditional requests (RFC 9110)
links         where this service is, as its callers see it
middleware    request ids, the access log, limits on small bodies
server        binds, runs, stops
"""
