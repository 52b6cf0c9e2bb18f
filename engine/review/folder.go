package review

import (
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

func contradictingEffects() *Rule {
	return &Rule{
		ID: "contradicting_effects", Severity: hcl.DiagWarning, Summary: "Runbooks that undo each other",
		Why: "Two runbooks of a folder set the same thing to different values. Whichever ran last wins, and each finds its goal broken by the other. Let one own it, or give both the value by one shared variable or local; where they are meant to be each other's way back, say so in an ignore.",
		Bad: []string{`runbook "day" {}

provider "redis" {
  host = "cache-1"
}

step "mode" {
  action "redis.set" {
    key   = "trading:mode"
    value = "live"
  }
  goal "is_set" {
    probe "redis.get" {
      key = "trading:mode"
    }
    assert = try(result.value == "live", false)
  }
}
`, `runbook "night" {}

provider "redis" {
  host = "cache-1"
}

step "mode" {
  action "redis.set" {
    key   = "trading:mode"
    value = "paper"
  }
  goal "is_set" {
    probe "redis.get" {
      key = "trading:mode"
    }
    assert = try(result.value == "paper", false)
  }
}
`},
		Good: []string{`runbook "day" {}

provider "redis" {
  host = "cache-1"
}

step "mode" {
  action "redis.set" {
    key   = "trading:mode"
    value = "live"
  }
  goal "is_set" {
    probe "redis.get" {
      key = "trading:mode"
    }
    assert = try(result.value == "live", false)
  }
}
`, `runbook "night" {}

provider "redis" {
  host = "cache-1"
}

check "mode" {
  probe "redis.get" {
    key = "trading:mode"
  }
  assert = try(result.value == "live", false)
}
`},
		across: func(readings []*reading, say say) {
			values := valueArguments()
			pairs(readings, func(a, b *reading, x, y *runbook.Step) bool {
				if x.Action == nil || y.Action == nil || x.Action.Type() != y.Action.Type() {
					return false
				}
				resource := otherValue(values[x.Action.Type()], a.deed(x), b.deed(y))
				if resource != "" {
					say(y.Action.Range, "%s of %s sets %s too, to another value.", x.Address(), filepath.Base(a.rb.File), resource)
				}
				return resource != ""
			})
		},
	}
}

// valueArguments are, by the actions that set something to a value, the arguments
// that say the value; all others say what it is the value of.
func valueArguments() map[string][]string {
	return map[string][]string{
		"redis.set":             {"value"},
		"file.write":            {"content"},
		"file.copy":             {"from"},
		"file.archive":          {"directory", "paths"},
		"postgres.alter_system": {"value", "values"},
		"mlflow.set_alias":      {"version", "absent"},
		"minio.lifecycle_rule":  {"expire_days", "noncurrent_days", "enabled", "absent"},
		"git.checkout":          {"ref"},
	}
}

// otherValue is the one resource that two actions of a kind set to different
// values, by these arguments; it is empty where there is no such thing, or where it
// is not known.
func otherValue(arguments []string, a, b *deed) string {
	if len(arguments) == 0 {
		return ""
	}
	x, y := a.changed(), b.changed()
	if len(x) != 1 || !slices.Equal(x, y) {
		return ""
	}
	for _, name := range arguments {
		v, w := a.argument(name), b.argument(name)
		if v != cty.NilVal && w != cty.NilVal && !v.RawEquals(w) {
			return x[0]
		}
	}
	return ""
}

// changed are the resources that an action changes.
func (d *deed) changed() []string {
	var all []string
	for _, e := range d.Effects {
		if e.Mode != schema.Read {
			all = append(all, e.Resource)
		}
	}
	return all
}

// argument is the value of an argument where it is known, without marks.
func (d *deed) argument(name string) cty.Value {
	if d.arguments == cty.NilVal || !d.arguments.Type().IsObjectType() || !d.arguments.Type().HasAttribute(name) {
		return cty.NilVal
	}
	v, _ := d.arguments.GetAttr(name).UnmarkDeep()
	if !v.IsWhollyKnown() {
		return cty.NilVal
	}
	return v
}

// pairs visits the steps of every two runbooks, the later read one second, until
// one is found that is worth saying.
func pairs(readings []*reading, visit func(a, b *reading, x, y *runbook.Step) bool) {
	for j, b := range readings {
		for _, a := range readings[:j] {
			twoOf(a, b, visit)
		}
	}
}

func twoOf(a, b *reading, visit func(a, b *reading, x, y *runbook.Step) bool) {
	if len(a.rb.Steps)*len(b.rb.Steps) > mostActors*mostActors {
		return
	}
	for _, x := range a.rb.Steps {
		for _, y := range b.rb.Steps {
			if visit(a, b, x, y) {
				return
			}
		}
	}
}

func deletesWhatAnotherNeeds() *Rule {
	return &Rule{
		ID: "deletes_what_another_needs", Severity: hcl.DiagError, Summary: "A runbook deletes what another needs",
		Why: "A step of one runbook deletes a resource that an action of another one reads from. Once the first has run, the second has nothing to work on, on the day that it is needed. Keep what the other reads out of what is deleted.",
		Bad: []string{`runbook "publish" {}

step "publish" {
  action "file.copy" {
    from = "backups/latest.tar"
    to   = "public/latest.tar"
  }
  goal "published" {
    probe "file.file" {
      path = "public/latest.tar"
    }
  }
}
`, `runbook "rotate" {}

step "rotate" {
  action "file.delete_older_than" {
    directory = "backups"
    pattern   = "*.tar"
    age       = "720h"
  }
  goal "nothing_old" {
    probe "file.directory" {
      path       = "backups"
      pattern    = "*.tar"
      older_than = "720h"
      max        = 0
    }
  }
  limit = { files = 20 }
}
`},
		Good: []string{`runbook "publish" {}

step "publish" {
  action "file.copy" {
    from = "releases/latest.tar"
    to   = "public/latest.tar"
  }
  goal "published" {
    probe "file.file" {
      path = "public/latest.tar"
    }
  }
}
`, `runbook "rotate" {}

step "rotate" {
  action "file.delete_older_than" {
    directory = "backups"
    pattern   = "*.tar"
    age       = "720h"
  }
  goal "nothing_old" {
    probe "file.directory" {
      path       = "backups"
      pattern    = "*.tar"
      older_than = "720h"
      max        = 0
    }
  }
  limit = { files = 20 }
}
`},
		across: func(readings []*reading, say say) {
			needs := func(a, b *reading, x, y *runbook.Step) bool {
				for _, needed := range a.touched(x) {
					for _, e := range b.touched(y) {
						if needed.Mode == schema.Read && e.Mode == schema.Delete && e.Covers(needed.Resource) {
							say(y.Action.Range, "%s of %s reads %s, and this deletes %s.", x.Address(), filepath.Base(a.rb.File), needed.Resource, e.Resource)
							return true
						}
					}
				}
				return false
			}
			pairs(readings, func(a, b *reading, x, y *runbook.Step) bool { return needs(a, b, x, y) || needs(b, a, y, x) })
		},
	}
}

func schedulesCollide() *Rule {
	return &Rule{
		ID: "schedules_collide", Severity: hcl.DiagWarning, Summary: "Schedules that collide",
		Why: "The label `schedule` of two runbooks starts them at the same minute, and they change the same resource. The second finds it locked and ends with exit code 5, each time. Move one of them, by longer than the other takes.",
		Bad: []string{`runbook "reindex" {
  labels = { schedule = "0 3 * * *" }
}

step "reindex" {
  action "exec.run" {
    argv    = ["./reindex"]
    effects = [{ resource = "postgres://db-1/shop" }]
  }
  goal "reindexed" {
    probe "file.file" {
      path    = "reindex.log"
      max_age = "20m"
    }
  }
}
`, `runbook "load" {
  labels = { schedule = "*/30 * * * *" }
}

step "load" {
  action "exec.run" {
    argv    = ["./load"]
    effects = [{ resource = "postgres://db-1/shop/bars" }]
  }
  goal "loaded" {
    probe "file.file" {
      path    = "load.log"
      max_age = "20m"
    }
  }
}
`},
		Good: []string{`runbook "reindex" {
  labels = { schedule = "0 3 * * *" }
}

step "reindex" {
  action "exec.run" {
    argv    = ["./reindex"]
    effects = [{ resource = "postgres://db-1/shop" }]
  }
  goal "reindexed" {
    probe "file.file" {
      path    = "reindex.log"
      max_age = "20m"
    }
  }
}
`, `runbook "load" {
  labels = { schedule = "15,45 * * * *" }
}

step "load" {
  action "exec.run" {
    argv    = ["./load"]
    effects = [{ resource = "postgres://db-1/shop/bars" }]
  }
  goal "loaded" {
    probe "file.file" {
      path    = "load.log"
      max_age = "20m"
    }
  }
}
`},
		across: func(readings []*reading, say say) {
			for j, b := range readings {
				for _, a := range readings[:j] {
					when := collide(a.rb.Labels["schedule"], b.rb.Labels["schedule"])
					if when == "" {
						continue
					}
					twoOf(a, b, func(a, b *reading, x, y *runbook.Step) bool {
						resource, conflict := plan.Conflict(a.touched(x), b.touched(y))
						if conflict {
							say(b.rb.Range, "%s starts at the same time, %s, and both touch %s.", filepath.Base(a.rb.File), when, resource)
						}
						return conflict
					})
				}
			}
		},
	}
}
