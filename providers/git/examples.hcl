probe "git.status" {}

# The last commit that carried a tag of a good release.
probe "git.log" {
  paths     = ["models"]
  good_tags = "v*"
}

probe "git.diff" {
  from  = "v1.4.0"
  paths = ["config"]
}

probe "git.commit_exists" {
  revision = "v1.4.0"
}

probe "git.in_sync" {
  branch = "main"
}

action "git.clone" {
  url    = "https://git.example.com/trading/models.git"
  branch = "main"
}

action "git.fetch" {}

action "git.pull" {
  branch = "main"
}

action "git.checkout" {
  ref = "v1.4.0"
}

# What was there is kept under a backup ref.
action "git.checkout_paths" {
  ref   = "v1.4.0"
  paths = ["config"]
}

action "git.add" {
  paths = ["models.dvc"]
}

action "git.commit" {
  message = "Go back to the models of v1.4.0"
}

action "git.push" {
  branch = "main"
}
