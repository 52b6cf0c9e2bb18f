package host

import (
	"fmt"
	"sync"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/bundled"
	"github.com/runbook-engine/runbook/providers/schema"
)

// BenchmarkStart is from nothing to the first answer and the end, for one
// provider and for ten side by side; with mTLS for comparison (docs/adr/0003).
func BenchmarkStart(b *testing.B) {
	for _, mtls := range []bool{false, true} {
		for _, count := range []int{1, 10} {
			b.Run(fmt.Sprintf("mtls=%v/providers=%d", mtls, count), func(b *testing.B) {
				for b.Loop() {
					h := New(Options{Catalog: bundled.NewCatalog(testProviders())})
					h.autoMTLS = mtls
					var wg sync.WaitGroup
					for i := range count {
						ref := fmt.Sprint("demo.", i)
						h.Configure(ref, "demo", object(map[string]string{"name": ref}))
						wg.Go(func() {
							if _, err := h.Observe(b.Context(), ref, look(nil)); err != nil {
								b.Error(err)
							}
						})
					}
					wg.Wait()
					b.StopTimer()
					if err := h.Close(); err != nil {
						b.Error(err)
					}
					b.StartTimer()
				}
			})
		}
	}
}

// BenchmarkCall is one probe after another.
func BenchmarkCall(b *testing.B) {
	for _, c := range []struct {
		ref  string
		mtls bool
	}{{"demo", false}, {"demo", true}, {"inner", false}} {
		b.Run(fmt.Sprintf("%s/mtls=%v", c.ref, c.mtls), func(b *testing.B) {
			h := newHost(b)
			h.autoMTLS = c.mtls
			op := schema.Operation{Name: "look", Kind: schema.Probe, Arguments: cty.ObjectVal(map[string]cty.Value{"text": cty.StringVal("x")})}
			for b.Loop() {
				if _, err := h.Observe(b.Context(), c.ref, op); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAct is one action after another, with a line of log each.
func BenchmarkAct(b *testing.B) {
	for _, ref := range []string{"demo", "inner"} {
		b.Run(ref, func(b *testing.B) {
			h := newHost(b)
			op := do("say")
			for b.Loop() {
				if o := h.Act(b.Context(), ref, op, func(schema.Progress) {}); o.State != schema.Done {
					b.Fatal(o.State, o.Failure)
				}
			}
		})
	}
}

// BenchmarkCallsAtOnce is as many as one configuration allows.
func BenchmarkCallsAtOnce(b *testing.B) {
	h := newHost(b)
	op := look(nil)
	b.SetParallelism(maxConcurrent)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := h.Observe(b.Context(), "demo", op); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
