package dvc

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// output is one file or folder that DVC keeps in its cache.
type output struct {
	stage  string // the file, or dvc.yaml and the stage, that says so
	path   string // from the repository's folder
	object object // the zero one: nothing is recorded yet
	size   *int64 // of the file, or of all files of the folder
	files  int64  // of a folder
	remote string // its own; empty: whichever is used
	push   bool   // whether it goes to remotes at all
}

// object is one entry of a cache or a remote.
type object struct {
	hash   string // MD5 in hexadecimal digits, with .dir after that of a folder's list
	legacy bool   // kept where DVC 2 kept it
}

// isDir tells whether it is a folder's list.
func (o object) isDir() bool { return strings.HasSuffix(o.hash, ".dir") }

// path is where caches and remotes keep it, from their root.
func (o object) path() string {
	where := o.hash[:2] + "/" + o.hash[2:]
	if o.legacy {
		return where
	}
	return "files/md5/" + where
}

var objectHash = regexp.MustCompile(`^[0-9a-f]{32}(\.dir)?$`)

// index is everything that DVC tracks in one source.
type index struct {
	outputs  []output // sorted by path
	imported int      // outputs that other repositories keep
	uncached int      // outputs that DVC only watches
}

// recorded is an output as DVC's files record it.
type recorded struct {
	Path   string         `yaml:"path"`
	MD5    string         `yaml:"md5"`
	Hash   string         `yaml:"hash"`
	Size   *int64         `yaml:"size"`
	Files  int64          `yaml:"nfiles"`
	Cache  *bool          `yaml:"cache"`
	Push   *bool          `yaml:"push"`
	Remote string         `yaml:"remote"`
	Cloud  map[string]any `yaml:"cloud"`
}

// index reads what DVC tracks.
func (s source) index(ctx context.Context) (index, error) {
	files, err := s.files(ctx)
	if err != nil {
		return index{}, err
	}
	var found index
	for name, text := range files {
		switch base := path.Base(name); base {
		case "dvc.lock":
		case "dvc.yaml":
			err = found.pipeline(name, text, files[path.Join(path.Dir(name), "dvc.lock")])
		default:
			err = found.single(name, text)
		}
		if err != nil {
			f := sdk.Fail("invalid_dvc_file", "%s: %v", name, err)
			f.Remedy = "mend the file; dvc status reads it too"
			return index{}, f
		}
	}
	slices.SortFunc(found.outputs, func(a, b output) int { return strings.Compare(a.path+"\x00"+a.stage, b.path+"\x00"+b.stage) })
	return found, nil
}

// single takes in a .dvc file.
func (x *index) single(name string, text []byte) error {
	var file struct {
		Outs []recorded `yaml:"outs"`
		Deps []struct {
			Repo map[string]any `yaml:"repo"`
			DB   map[string]any `yaml:"db"`
		} `yaml:"deps"`
		Wdir string `yaml:"wdir"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return err
	}
	for _, dep := range file.Deps {
		if dep.Repo != nil {
			x.imported += len(file.Outs)
			return nil
		}
	}
	for _, out := range file.Outs {
		rule := rule{cache: out.Cache == nil || *out.Cache, push: out.Push == nil || *out.Push, remote: out.Remote}
		if err := x.add(name, path.Join(path.Dir(name), file.Wdir), out, rule); err != nil {
			return err
		}
	}
	return nil
}

// rule is what a pipeline says of an output: its own settings.
type rule struct {
	path        string // may hold ${…}
	cache, push bool
	remote      string
}

func (x *index) add(stage, folder string, out recorded, rule rule) error {
	switch {
	case strings.Contains(out.Path, "://"), path.IsAbs(out.Path):
		x.uncached++ // outside of the repository: DVC 3 keeps no cache of it
		return nil
	case !rule.cache:
		x.uncached++
		return nil
	case out.Cloud != nil:
		return fmt.Errorf("%s is kept by the versions of a cloud remote, which this provider does not know", out.Path)
	}
	found := output{stage: stage, path: path.Join(folder, out.Path), size: out.Size, files: out.Files, remote: rule.remote, push: rule.push}
	if out.MD5 != "" {
		if !objectHash.MatchString(out.MD5) {
			return fmt.Errorf("%s has the md5 %q, which is none", out.Path, out.MD5)
		}
		found.object = object{hash: out.MD5, legacy: out.Hash != "md5"}
	}
	x.outputs = append(x.outputs, found)
	return nil
}

// stage is one of dvc.yaml, or many that foreach or matrix makes of it.
type stage struct {
	Wdir    string      `yaml:"wdir"`
	Outs    []yaml.Node `yaml:"outs"`
	Metrics []yaml.Node `yaml:"metrics"`
	Plots   []yaml.Node `yaml:"plots"`

	Foreach yaml.Node `yaml:"foreach"`
	Matrix  yaml.Node `yaml:"matrix"`
	Do      *stage    `yaml:"do"`
}

// pipeline takes in a dvc.yaml and the dvc.lock beside it.
func (x *index) pipeline(name string, text, lock []byte) error {
	var file struct {
		Stages map[string]stage `yaml:"stages"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return err
	}
	var locked struct {
		Schema string `yaml:"schema"`
		Stages map[string]struct {
			Outs []recorded `yaml:"outs"`
		} `yaml:"stages"`
	}
	if err := yaml.Unmarshal(lock, &locked); err != nil {
		return fmt.Errorf("dvc.lock: %w", err)
	}
	if len(lock) > 0 && len(file.Stages) > 0 && locked.Schema != "" && locked.Schema != "2.0" {
		return fmt.Errorf("dvc.lock has the schema %q, which this provider does not know", locked.Schema)
	}
	seen := map[string]bool{}
	for full, recorded := range locked.Stages {
		base, key, many := strings.Cut(full, "@")
		s, known := file.Stages[base]
		if !known || many != s.many() || many && !s.makes(key) {
			continue // a stage that the pipeline has no more
		}
		seen[base] = true
		if s.Do != nil {
			s = *s.Do
		}
		rules, err := s.rules()
		if err != nil {
			return err
		}
		for _, out := range recorded.Outs {
			rule, ok := match(rules, out.Path)
			if !ok {
				continue // likewise an output
			}
			if err := x.add(name+":"+full, path.Join(path.Dir(name), s.Wdir), out, rule); err != nil {
				return err
			}
		}
	}
	for base, s := range file.Stages {
		if seen[base] {
			continue
		}
		if s.Do != nil {
			s = *s.Do
		}
		rules, err := s.rules()
		if err != nil {
			return err
		}
		for _, rule := range rules { // never run
			if err := x.add(name+":"+base, path.Join(path.Dir(name), s.Wdir), recorded{Path: rule.path}, rule); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s stage) many() bool { return s.Foreach.Kind != 0 || s.Matrix.Kind != 0 }

// makes tells whether foreach makes a stage of that key. Where that takes values
// of elsewhere, it is taken to.
func (s stage) makes(key string) bool {
	over := s.Foreach
	switch {
	case s.Foreach.Kind == 0:
		return true
	case over.Kind == yaml.MappingNode:
		for i := 0; i < len(over.Content); i += 2 {
			if over.Content[i].Value == key {
				return true
			}
		}
		return false
	case over.Kind == yaml.SequenceNode:
		for i, item := range over.Content {
			switch {
			case item.Kind != yaml.ScalarNode && strconv.Itoa(i) == key, item.Kind == yaml.ScalarNode && item.Value == key:
				return true
			case strings.Contains(item.Value, "${"):
				return true
			}
		}
		return false
	}
	return true
}

// rules are what the stage says of its outputs.
func (s stage) rules() ([]rule, error) {
	if template.MatchString(s.Wdir) {
		return nil, fmt.Errorf("the wdir %q is a template, which this provider does not fill in", s.Wdir)
	}
	var found []rule
	for _, node := range slices.Concat(s.Outs, s.Metrics, s.Plots) {
		if node.Kind == yaml.ScalarNode {
			found = append(found, rule{path: node.Value, cache: true, push: true})
			continue
		}
		var with map[string]struct {
			Cache  *bool  `yaml:"cache"`
			Push   *bool  `yaml:"push"`
			Remote string `yaml:"remote"`
		}
		if err := node.Decode(&with); err != nil {
			return nil, fmt.Errorf("line %d: %w", node.Line, err)
		}
		for name, says := range with {
			found = append(found, rule{path: name, cache: says.Cache == nil || *says.Cache, push: says.Push == nil || *says.Push, remote: says.Remote})
		}
	}
	return found, nil
}

var template = regexp.MustCompile(`\$\{[^}]*\}`)

// match finds the rule for a recorded path: the one of that name, else the
// template with the longest fixed text that it could come from.
func match(rules []rule, name string) (rule, bool) {
	var best rule
	longest := -1
	for _, r := range rules {
		if path.Clean(r.path) == path.Clean(name) {
			return r, true
		}
		if !template.MatchString(r.path) {
			continue
		}
		parts := template.Split(r.path, -1)
		fixed := 0
		for i, part := range parts {
			fixed += len(part)
			parts[i] = regexp.QuoteMeta(part)
		}
		if matched, err := regexp.MatchString("^"+strings.Join(parts, ".*")+"$", name); err == nil && matched && fixed > longest {
			best, longest = r, fixed
		}
	}
	return best, longest >= 0
}
