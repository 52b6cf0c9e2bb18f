action "webhook.post" {
  text = "the features are fresh again"
}

# A receiver that drops what it has under its key: a resume may send it again.
action "webhook.post" {
  json  = { kind = "refreshed", table = "bars" }
  keyed = true
}
