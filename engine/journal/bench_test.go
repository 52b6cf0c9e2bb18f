package journal_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/runbook-engine/runbook/engine/journal"
)

// One operation is one event of 400 bytes, acknowledged.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 10, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			j, err := journal.Create(filepath.Join(b.TempDir(), "journal.jsonl"))
			if err != nil {
				b.Fatal(err)
			}
			defer j.Close()
			var seq atomic.Int64
			if writers == 1 {
				for b.Loop() {
					if err := j.Append(intent(seq.Add(1))); err != nil {
						b.Fatal(err)
					}
				}
				return
			}
			b.SetParallelism(writers / runtime.GOMAXPROCS(0))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := j.Append(intent(seq.Add(1))); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// What an event costs beside the disk.
func BenchmarkAppendUnsynced(b *testing.B) {
	j, err := journal.Create(filepath.Join(b.TempDir(), "journal.jsonl"), journal.On(hasty{}))
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	for b.Loop() {
		if err := j.Append(intent(1)); err != nil {
			b.Fatal(err)
		}
	}
}

// One operation is a whole journal of 100,000 events, a group each.
func BenchmarkReplay(b *testing.B) {
	const events = 100_000
	path := filepath.Join(b.TempDir(), "journal.jsonl")
	j, err := journal.Create(path, journal.On(hasty{}))
	if err != nil {
		b.Fatal(err)
	}
	for seq := range int64(events) {
		if err := j.Append(intent(seq)); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			j, found, err := journal.Open(path)
			if err != nil || found.Records != events {
				b.Fatal(found, err)
			}
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for _, err := range journal.Read(path) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != events {
				b.Fatal(n)
			}
		}
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if _, err := journal.Verify(path); err != nil {
				b.Fatal(err)
			}
		}
	})
}
