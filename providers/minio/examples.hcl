probe "minio.health" {}

probe "minio.bucket" {
  bucket = "models"
}

probe "minio.object" {
  bucket    = "models"
  object    = "ppo/latest.zip"
  min_bytes = 1024
  max_age   = "26h"
}

probe "minio.objects" {
  bucket  = "backups"
  prefix  = "postgres/"
  min     = 3
  max_age = "26h"
}

probe "minio.capacity" {
  max_used_ratio = 0.8
}

probe "minio.versioning" {
  bucket = "models"
}

probe "minio.lifecycle" {
  bucket = "backups"
  id     = "expire-old"
}

action "minio.make_bucket" {
  bucket     = "models"
  versioning = true
}

action "minio.mirror" {
  from = { bucket = "models" }
  to   = { bucket = "models-standby" }
}

action "minio.copy" {
  from = { bucket = "models", prefix = "ppo/" }
  to   = { directory = "/backups/ppo" }
}

# On a versioned bucket only versions give room back.
action "minio.remove_older_than" {
  bucket   = "backups"
  prefix   = "postgres/"
  age      = "720h"
  versions = true
}

action "minio.lifecycle_rule" {
  bucket      = "backups"
  id          = "expire-old"
  prefix      = "postgres/"
  expire_days = 30
}

action "minio.heal" {
  bucket = "models"
}
