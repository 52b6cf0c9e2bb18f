package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hashicorp/go-plugin"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"github.com/zclconf/go-cty/cty/msgpack"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/runbook-engine/runbook/providers/protocol"
)

// The hostile provider is a program that speaks the wire by itself, and puts on
// it whatever a test says. It finds that in its working directory, the runbook's
// folder.
const hostileFile = "hostile.json"

// deed is what the hostile provider does when an RPC is called.
type deed struct {
	Do    string   // hang, die, fork, garbage, error; empty: answer
	Say   []string // answers, as text of the RPC's message; of Act several
	Big   int      // with garbage: so many bytes
	Times int      // how often the first answer is said; 0: once
}

const serviceName = "runbook.provider.v1.Provider"

// answers are the messages of the RPCs, and what is said where a test says
// nothing else.
var answers = map[string]struct{ message, say string }{
	"Schema":    {"SchemaResponse", soundSchema},
	"Configure": {"ConfigureResponse", ""},
	"Describe":  {"Description", `effects { resource: "demo://" mode: MODE_WRITE } summary: "does it"`},
	"Preview":   {"Description", `effects { resource: "demo://" mode: MODE_WRITE } summary: "does it" impact { key: "rows" value: 3 }`},
	"Observe":   {"Outcome", `state: STATE_DONE ` + said(`"ok": true, "summary": "well", "text": "x"`)},
	"Settle":    {"Outcome", `state: STATE_DONE ` + said(`"ok": true, "summary": "well", "text": "x"`)},
	"Act":       {"ActEvent", `outcome { state: STATE_DONE ` + said(`"ok": true, "summary": "well", "text": "x"`) + ` }`},
	"Cancel":    {"CancelResponse", ""},
}

const soundObject = `
	attributes { name: "ok" type: "\"bool\"" doc: "Ok." }
	attributes { name: "summary" type: "\"string\"" doc: "Summary." }
	attributes { name: "text" type: "\"string\"" doc: "Text." }`

const soundSchema = `name: "hostile" version: "1.0.0" doc: "Whatever a test says." config {}
	operations { name: "look" doc: "Looks." kind: KIND_PROBE arguments { attributes { name: "how" type: "\"string\"" doc: "How." } } result { ` + soundObject + ` } }
	operations { name: "do" doc: "Does." kind: KIND_ACTION settling: SETTLING_MANUAL previews: true settles: true counts: "rows" counts: "bytes"
		arguments { attributes { name: "how" type: "\"string\"" doc: "How." } } result { ` + soundObject + ` } }`

// said is a result with the given JSON members, and with sensitive parts.
func said(members string, sensitive ...string) string {
	text := []byte("{" + members + "}")
	ty, err := ctyjson.ImpliedType(text)
	if err != nil {
		panic(err)
	}
	v, err := ctyjson.Unmarshal(text, ty)
	if err != nil {
		panic(err)
	}
	typeJSON, err := ctyjson.MarshalType(ty)
	if err != nil {
		panic(err)
	}
	packed, err := msgpack.Marshal(v, ty)
	if err != nil {
		panic(err)
	}
	result := &strings.Builder{}
	fmt.Fprintf(result, "result { type: %s msgpack: %s", bytesText(typeJSON), bytesText(packed))
	for _, pointer := range sensitive {
		fmt.Fprintf(result, " sensitive: %q", pointer)
	}
	return result.String() + " }"
}

// bytesText is a prototext literal.
func bytesText(b []byte) string {
	var text strings.Builder
	for _, c := range b {
		fmt.Fprintf(&text, "\\x%02x", c)
	}
	return `"` + text.String() + `"`
}

// serveHostile is the program.
func serveHostile() {
	if os.Getenv(protocol.Handshake().MagicCookieKey) == "" {
		os.Exit(1)
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  protocol.Handshake(),
		VersionedPlugins: map[int]plugin.PluginSet{protocol.Version: {"provider": hostilePlugin{}}},
		// Nothing of our own keeps it within limits.
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server { return grpc.NewServer(opts...) },
	})
}

type hostilePlugin struct{ plugin.NetRPCUnsupportedPlugin }

func (hostilePlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("it is no client")
}

func (hostilePlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	desc := &grpc.ServiceDesc{ServiceName: serviceName, HandlerType: (*any)(nil)}
	for name := range answers {
		if name == "Act" {
			desc.Streams = append(desc.Streams, grpc.StreamDesc{StreamName: name, ServerStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
				var call emptypb.Empty
				if err := stream.RecvMsg(&call); err != nil {
					return err
				}
				return commit(name, stream.SendMsg)
			}})
			continue
		}
		desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: name, Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var call emptypb.Empty
			if err := decode(&call); err != nil {
				return nil, err
			}
			var reply any
			err := commit(name, func(m any) error { reply = m; return nil })
			return reply, err
		}})
	}
	s.RegisterService(desc, nil)
	return nil
}

// commit does what the test says of an RPC.
func commit(method string, send func(any) error) error {
	deeds := map[string]deed{}
	if text, err := os.ReadFile(hostileFile); err == nil {
		if err := json.Unmarshal(text, &deeds); err != nil {
			panic(err)
		}
	}
	d := deeds[method]
	switch d.Do {
	case "hang":
		if method == "Act" {
			m := message("ActEvent")
			if err := prototext.Unmarshal([]byte(`log { text: "hanging" }`), m); err != nil {
				panic(err)
			}
			if err := send(m); err != nil {
				return err
			}
		}
		select {}
	case "die":
		_, _ = fmt.Fprintln(os.NewFile(2, "stderr"), "dying in", method) // go-plugin has replaced os.Stderr
		os.Exit(9)
	case "fork":
		fork()
	case "garbage":
		return send(raw([]byte(strings.Repeat("\xff", max(d.Big, 10)))))
	case "large":
		return send(raw(append([]byte{0xfa, 0x07, 0x80, 0x80, 0x80, 0x08}, make([]byte, 16<<20)...))) // an unknown field of 16 MiB
	case "error":
		return fmt.Errorf("%s", d.Say[0])
	}
	texts := d.Say
	if texts == nil {
		texts = []string{answers[method].say}
	}
	for i, text := range texts {
		m := message(answers[method].message)
		if err := prototext.Unmarshal([]byte(text), m); err != nil {
			panic(fmt.Sprintf("%s: %v", text, err))
		}
		for range max(1, d.Times*(1-min(i, 1))) {
			if err := send(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// raw is a message of these bytes.
func raw(b []byte) proto.Message {
	m := &emptypb.Empty{}
	m.ProtoReflect().SetUnknown(b)
	return m
}

func message(name string) proto.Message {
	found, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName("runbook.provider.v1." + name))
	if err != nil {
		panic(err)
	}
	return found.New().Interface()
}

// fork leaves children behind that hold all that they inherit: one in the
// provider's group, one in a group of its own.
func fork() {
	var pids []string
	for _, attr := range []*syscall.SysProcAttr{{}, {Setpgid: true}} {
		cmd := osexec.Command("sleep", "600")
		cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = os.NewFile(1, "stdout"), os.NewFile(2, "stderr"), attr
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		pids = append(pids, fmt.Sprint(cmd.Process.Pid))
	}
	if err := os.WriteFile("forked", []byte(strings.Join(pids, " ")), 0o600); err != nil {
		panic(err)
	}
}

// hostile installs the hostile provider, pinned while it behaved, and says what
// it does from now on.
func hostile(t *testing.T, deeds map[string]deed) *Host {
	t.Helper()
	dir := t.TempDir()
	lock := filepath.Join(dir, LockFileName)
	text, err := pinned()
	if err == nil {
		err = os.WriteFile(lock, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, prefix+"hostile")); err != nil {
		t.Fatal(err)
	}
	h := New(Options{Dir: dir, SearchPath: []string{dir}, LockFile: lock})
	t.Cleanup(func() { _ = h.Close() })
	h.Configure("hostile", "hostile", cty.EmptyObjectVal)
	behave(t, dir, deeds)
	return h
}

// pinned is the lock file that pins a hostile provider which behaves, made once.
var pinned = sync.OnceValues(func() (text []byte, err error) {
	dir, err := os.MkdirTemp("", "hostile")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(dir, prefix+"hostile"))
	}
	if err != nil {
		return nil, err
	}
	h := New(Options{Dir: dir, SearchPath: []string{dir}})
	if err := errors.Join(h.Lock(context.Background(), []string{"hostile"}), h.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, LockFileName))
})

func behave(t *testing.T, dir string, deeds map[string]deed) {
	t.Helper()
	text, err := json.Marshal(deeds)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, hostileFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
}
