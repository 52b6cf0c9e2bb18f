probe "http.get" {
  url          = "https://api.example.com/health"
  body_pattern = "\"status\": *\"ok\""
}

# The stream is alive where it sends a price within the look's timeout.
probe "http.websocket" {
  url             = "wss://stream.example.com/prices"
  message_pattern = "\"price\""
}

probe "http.tcp" {
  address = "db.example.com:5432"
}

probe "http.tls" {
  address      = "api.example.com:443"
  min_validity = "336h"
}

# The server knows a repetition by the key, so that a resume may send it again.
action "http.request" {
  url   = "https://api.example.com/jobs"
  json  = { kind = "reindex", table = "bars" }
  keyed = true
  effects = [
    { resource = "https://api.example.com/jobs" },
  ]
}
