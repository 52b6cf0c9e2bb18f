action "email.send" {
  to      = ["desk@example.com"]
  subject = "Features are fresh again"
  text    = "The sync was recovered; inference may be trusted."
}
