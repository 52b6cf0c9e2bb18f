runbook "rolling_deploy" {
  title      = "Give every service the new release, one at a time, or all of them the old one back"
  on_failure = "rollback"
}

variable "release" {
  description = "Tag of the image to deploy; its compose file is compose.RELEASE.yaml."
}

variable "image" {
  description = "The image that all services are made from, whose tag current they run."
  default     = "registry:5000/trading"
}

variable "services" {
  description = "The services, in the order in which they are brought up."
  type        = list(string)
  default     = ["trading", "analytics", "pipeline", "compliance"]
}

variable "project" {
  description = "The compose project."
  default     = "trading"
}

variable "host" {
  description = "The Docker engine."
  default     = "unix:///var/run/docker.sock"
}

variable "config_folder" {
  description = "Folder of the command line's configuration and plugins; empty: .docker in HOME."
  default     = ""
}

provider "docker" {
  host          = var.host
  config_folder = var.config_folder
  project       = var.project
  project_dir   = "."
}

check "healthy" {
  description = "Every service runs and is healthy"
  probe "docker.project" {}
  message = result.summary
}

step "before" {
  title = "What is current now"
  precondition "healthy" { check = check.healthy }
  probe "docker.image" {
    image = "${var.image}:current"
  }
}

step "compose_file" {
  title = "Put the new compose file in place"

  action "file.copy" {
    from      = "compose.${var.release}.yaml"
    to        = "compose.yaml"
    overwrite = true
    backup_to = "compose.before.yaml"
  }

  verify "in_place" {
    probe "exec.run" {
      argv = ["cmp", "compose.${var.release}.yaml", "compose.yaml"]
    }
    message = "compose.yaml is not that of the release"
  }

  rollback {
    action "file.copy" {
      from      = "compose.before.yaml"
      to        = "compose.yaml"
      overwrite = true
      backup_to = "compose.failed.yaml"
    }
  }
}

step "image" {
  title = "Make the new image the current one"

  action "docker.tag" {
    source = "${var.image}:${var.release}"
    target = "${var.image}:current"
  }

  verify "new_image" {
    probe "docker.image" {
      image = "${var.image}:current"
    }
    assert  = result.id == self.result.image_id
    message = "${var.image}:current is ${result.id}"
  }

  rollback {
    action "docker.tag" {
      source = step.before.result.id
      target = "${var.image}:current"
    }
    verify "old_image" {
      probe "docker.image" {
        image = "${var.image}:current"
        id    = step.before.result.id
      }
      message = result.summary
    }
  }
}

step "roll" {
  title        = "Bring the service up on it, and wait until it is healthy"
  for_each     = var.services
  max_parallel = 1

  action "docker.compose_up" {
    services = [each.key]
    no_deps  = true
    pull     = "never"
  }

  verify "as_the_file_says" {
    probe "docker.config_drift" {
      services = [each.key]
    }
    message = result.summary
  }

  rollback {
    depends_on = [step.image, step.compose_file] # it comes up on what these have put back

    action "docker.compose_up" {
      services = [each.key]
      no_deps  = true
      pull     = "never"
    }
    verify "as_before" {
      probe "docker.config_drift" {
        services = [each.key]
      }
      message = result.summary
    }
  }
}

step "accept" {
  precondition "healthy" { check = check.healthy }
}
