runbook "providers_and_aliases" {
  title = "One provider, two configurations"
}

provider "http" {
  user_agent = "on-call"
}

provider "http" {
  alias      = "partner"
  user_agent = "partner-monitor"
}

check "own" {
  probe "http.get" {
    url = "http://127.0.0.1:1/health"
  }
  message = "our own API does not answer"
}

check "partner" {
  probe "http.get" {
    provider  = http.partner
    url       = "http://127.0.0.1:1/health"
    sensitive = true
  }
  message = "the partner's API does not answer"
}
