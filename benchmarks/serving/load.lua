-- wrk script: posts the file BODY_FILE with the header lines of HEADERS_FILE, prints one JSON line at the end.
for line in io.lines(os.getenv("HEADERS_FILE")) do
   local name, value = line:match("^([^:]+): (.*)$")
   wrk.headers[name] = value
end
local file = io.open(os.getenv("BODY_FILE"), "rb")
wrk.body = file:read("*a")
wrk.method = "POST"

function done(summary, latency)
   local e = summary.errors
   print(string.format(
      '{"requests": %d, "duration_us": %d, "errors": %d, "p50_us": %d, "p99_us": %d}',
      summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
      latency:percentile(50), latency:percentile(99)))
end
