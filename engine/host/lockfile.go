package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// LockFileName is the file that pins third-party providers.
const LockFileName = "runbook.lock.hcl"

// locked is what the lock file says of one provider.
type locked struct {
	version string
	sums    map[string]string // SHA-256 in hex, by platform such as linux_amd64
	schema  *schema.Provider
}

func platform() string { return runtime.GOOS + "_" + runtime.GOARCH }

// sum is the hash on this platform. Without one it is a text that no hash
// equals, so that nothing unpinned is executed.
func (l *locked) sum() string {
	if sum := l.sums[platform()]; sum != "" {
		return sum
	}
	return "none for " + platform()
}

// lockFile reads the lock file once; an absent one is empty.
func (h *Host) lockFile() (map[string]*locked, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.locks != nil {
		return h.locks, nil
	}
	locks, err := readLockFile(h.opts.LockFile)
	if err != nil {
		return nil, err
	}
	h.locks = locks
	return locks, nil
}

func readLockFile(path string) (map[string]*locked, error) {
	locks := map[string]*locked{}
	if path == "" {
		return locks, nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return locks, nil
	}
	body, diags := runbook.ParseConstants(path)
	if diags.HasErrors() {
		return nil, fmt.Errorf("read the lock file: %w", diags)
	}
	var content struct {
		Providers []struct {
			Name    string            `hcl:"name,label"`
			Version string            `hcl:"version"`
			SHA256  map[string]string `hcl:"sha256"`
			Schema  hcl.Expression    `hcl:"schema"`
		} `hcl:"provider,block"`
	}
	if diags := gohcl.DecodeBody(body, nil, &content); diags.HasErrors() {
		return nil, fmt.Errorf("read the lock file: %w", diags)
	}
	for _, p := range content.Providers {
		v, diags := p.Schema.Value(nil)
		if diags.HasErrors() {
			return nil, fmt.Errorf("read the lock file: %w", diags)
		}
		s, err := schemaFrom(v)
		if err == nil {
			err = s.Check()
		}
		if err != nil {
			return nil, fmt.Errorf("read the lock file: schema of %s: %w", p.Name, err)
		}
		locks[p.Name] = &locked{version: p.Version, sums: p.SHA256, schema: s}
	}
	return locks, nil
}

func schemaFrom(v cty.Value) (*schema.Provider, error) {
	text, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return nil, err
	}
	var s schema.Provider
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	return &s, nil
}

// schemaValue is a schema as the lock file holds it.
func schemaValue(s *schema.Provider) (cty.Value, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return cty.NilVal, err
	}
	ty, err := ctyjson.ImpliedType(text)
	if err != nil {
		return cty.NilVal, err
	}
	return ctyjson.Unmarshal(text, ty)
}

// lockText is the lock file's text: one block per provider, in the order of
// their names, the schema as HCL so that a change of it can be reviewed.
func lockText(locks map[string]*locked) ([]byte, error) {
	file := hclwrite.NewEmptyFile()
	file.Body().AppendUnstructuredTokens(hclwrite.Tokens{{
		Type:  hclsyntax.TokenComment,
		Bytes: []byte("# Written by `runbook providers lock`: the third-party providers that may be run.\n"),
	}})
	for _, name := range slices.Sorted(maps.Keys(locks)) {
		l := locks[name]
		v, err := schemaValue(l.schema)
		if err != nil {
			return nil, err
		}
		sums := map[string]cty.Value{}
		for platform, sum := range l.sums {
			sums[platform] = cty.StringVal(sum)
		}
		file.Body().AppendNewline()
		body := file.Body().AppendNewBlock("provider", []string{name}).Body()
		body.SetAttributeValue("version", cty.StringVal(l.version))
		body.SetAttributeValue("sha256", cty.ObjectVal(sums))
		body.SetAttributeValue("schema", v)
	}
	return hclwrite.Format(file.Bytes()), nil
}
