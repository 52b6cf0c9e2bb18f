probe "dvc.status" {}

# Not only the newest: what the release needs has to be there too.
probe "dvc.remote_status" {
  remote = "minio"
  rev    = "v1.4.0"
}

probe "dvc.remotes" {}

probe "dvc.file_hash" {
  path = "models/ppo.zip"
  md5  = "d41d8cd98f00b204e9800998ecf8427e"
}

probe "dvc.lock_held" {}

# Sends children that are gone although their directory is there.
action "dvc.push" {
  remote = "minio"
  repair = true
}

action "dvc.fetch" {
  remote = "s3_backup"
}

action "dvc.pull" {
  remote = "s3_backup"
}

action "dvc.checkout" {}

action "dvc.repro" {
  targets = ["train"]
  effects = [
    { resource = "file:///srv/models" },
  ]
}

action "dvc.gc" {
  keep = "all_branches"
}
