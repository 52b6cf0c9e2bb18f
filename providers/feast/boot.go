package feast

import (
	"embed"
	"encoding/json"
	"fmt"
	"os"
)

//go:embed helper/*.py
var sources embed.FS

// modules are the helper's parts in the order in which they need each other.
var modules = [...]string{"store", "offline", "online", "probes", "materialize", "definitions", "operations"}

// bootstrap reads the helper's source from the first line of standard input:
// nothing is written to disk, and argv stays short.
const bootstrap = `import json, sys, types
sys.path[:] = [entry for entry in sys.path if entry]
given = json.loads(open(0, "rb", 0, closefd=False).readline())
package = sys.modules["feasthelper"] = types.ModuleType("feasthelper")
package.__path__ = []
main = package.main = sys.modules["feasthelper.main"] = types.ModuleType("feasthelper.main")
exec(compile(given["main"]["text"], given["main"]["file"], "exec"), main.__dict__)
main.run(given["sources"], given["once"], given["checked"])
`

type source struct {
	Module string `json:"module"`
	File   string `json:"file"`
	Text   string `json:"text"`
}

// mode is how a helper works.
type mode struct {
	Once    bool `json:"once"`    // answers one question in the foreground, and ends
	Checked bool `json:"checked"` // Feast checks the types it is given: for definitions
}

// firstLine is what a helper is given to begin with.
func firstLine(m mode) ([]byte, error) {
	read := func(name string) (source, error) {
		text, err := sources.ReadFile("helper/" + name + ".py")
		return source{"feasthelper." + name, "feast/helper/" + name + ".py", string(text)}, err
	}
	var given struct {
		Main    source   `json:"main"`
		Sources []source `json:"sources"`
		mode
	}
	var err error
	if given.Main, err = read("main"); err != nil {
		return nil, fmt.Errorf("read the helper: %w", err)
	}
	for _, name := range modules {
		part, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("read the helper: %w", err)
		}
		given.Sources = append(given.Sources, part)
	}
	given.mode = m
	line, err := json.Marshal(given)
	return append(line, '\n'), err
}

// environment is all that Feast gets to see of it.
func (c Config) environment() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "LANG"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	env = append(env,
		"FEAST_USAGE=False",     // older Feasts report home
		"PGCONNECT_TIMEOUT=10",  // Feast has no setting for it; psycopg waits for 130 s
		"PYTHONWARNINGS=ignore", // they would be taken for what went wrong
		"PYTHONIOENCODING=utf-8",
	)
	for name, value := range c.Env {
		env = append(env, name+"="+value)
	}
	return env
}
