# Every instance answers 99 requests of 100 well, by the last five minutes.
probe "prometheus.query" {
  query  = "sum by (instance) (rate(http_requests_total{job=\"api\",code!~\"5..\"}[5m])) / sum by (instance) (rate(http_requests_total{job=\"api\"}[5m]))"
  expect = "threshold"
  min    = 0.99
}

# Nothing is down. Without `present` that would also hold where nothing is scraped.
probe "prometheus.query" {
  query   = "up{job=\"api\"} == 0"
  expect  = "empty"
  present = "up{job=\"api\"}"
}

probe "prometheus.alerts" {
  names = ["FeatureStale", "InferenceErrors"]
}

probe "prometheus.rules" {
  groups  = ["trading"]
  max_age = "2m"
}

probe "prometheus.targets" {
  job = "api"
  min = 3
}
