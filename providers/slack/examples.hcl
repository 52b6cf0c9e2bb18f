action "slack.post" {
  channel = "#trading-ops"
  text    = "features are fresh again"
}
