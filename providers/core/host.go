package core

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// HostArgs is what host takes.
type HostArgs struct {
	Path               string        `runbook:"path" default:"/" doc:"Any path on the file system to measure; a relative one starts from the runbook's folder."`
	Ports              []int         `runbook:"ports,optional" doc:"TCP ports of this machine that must answer."`
	MinDiskFreePercent float64       `runbook:"min_disk_free_percent" default:"0" doc:"Not ok with less of the disk free."`
	MinMemoryPercent   float64       `runbook:"min_memory_available_percent" default:"0" doc:"Not ok with less of the memory available."`
	MaxLoadPerCPU      *float64      `runbook:"max_load_per_cpu" doc:"Not ok with a higher load over the last minute, divided by the processors."`
	PortTimeout        time.Duration `runbook:"port_timeout" default:"2s" doc:"How long a port may take to answer."`
}

// Host is the answer of host.
type Host struct {
	sdk.Result
	CPUs             int             `runbook:"cpus" doc:"Processors that this process may use."`
	Load1            *float64        `runbook:"load_1m" doc:"Load average of the last minute; null where the system keeps none."`
	Load5            *float64        `runbook:"load_5m" doc:"Of the last five minutes."`
	Load15           *float64        `runbook:"load_15m" doc:"Of the last fifteen minutes."`
	MemoryTotal      *int64          `runbook:"memory_total_bytes" doc:"Memory of the machine; null where it cannot be told."`
	MemoryAvailable  *int64          `runbook:"memory_available_bytes" doc:"Memory that programs can still have without swapping."`
	DiskTotal        int64           `runbook:"disk_total_bytes" doc:"Size of the file system."`
	DiskFree         int64           `runbook:"disk_free_bytes" doc:"Room left on it for users that are not root."`
	DiskFreePercent  float64         `runbook:"disk_free_percent" doc:"The same as a share of what such users can have."`
	INodeFreePercent *float64        `runbook:"inodes_free_percent" doc:"Share of the file system's inodes that is free; null where it has no fixed number."`
	Ports            map[string]bool `runbook:"ports" doc:"Whether each port answers, by its number."`
}

func host(ctx context.Context, args HostArgs, _ *sdk.Call) (Host, error) {
	h := Host{CPUs: runtime.NumCPU()}
	var wrong []string
	not := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }

	if err := h.disk(sdk.Path(ctx, args.Path)); err != nil {
		return Host{}, err
	}
	if h.DiskFreePercent < args.MinDiskFreePercent {
		not("%s has %.1f %% free, not %g %%", args.Path, h.DiskFreePercent, args.MinDiskFreePercent)
	}

	if err := h.memory(); err != nil {
		return Host{}, fmt.Errorf("read the machine's memory and load: %w", err)
	}
	switch {
	case args.MinMemoryPercent == 0:
	case h.MemoryTotal == nil:
		not("the memory cannot be told on this system")
	case share(*h.MemoryAvailable, *h.MemoryTotal) < args.MinMemoryPercent:
		not("%.1f %% of the memory is available, not %g %%", share(*h.MemoryAvailable, *h.MemoryTotal), args.MinMemoryPercent)
	}
	switch {
	case args.MaxLoadPerCPU == nil:
	case h.Load1 == nil:
		not("the load cannot be told on this system")
	case *h.Load1/float64(h.CPUs) > *args.MaxLoadPerCPU:
		not("the load is %.2f on %d processors, more than %g each", *h.Load1, h.CPUs, *args.MaxLoadPerCPU)
	}

	if err := h.ports(ctx, args); err != nil {
		return Host{}, err
	}
	for _, port := range args.Ports {
		if !h.Ports[strconv.Itoa(port)] {
			not("port %d does not answer", port)
		}
	}

	if len(wrong) > 0 {
		h.Result = sdk.NotOK("%s", strings.Join(wrong, "; "))
		return h, nil
	}
	h.Result = sdk.OK("%s has %.1f %% free", args.Path, h.DiskFreePercent)
	return h, nil
}

func (h *Host) disk(path string) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); errors.Is(err, unix.ENOENT) {
		return sdk.InvalidArgument("path", "there is no %s", path)
	} else if err != nil {
		return fmt.Errorf("measure %s: %w", path, err)
	}
	size := int64(fs.Bsize)
	h.DiskTotal, h.DiskFree = int64(fs.Blocks)*size, int64(fs.Bavail)*size
	h.DiskFreePercent = share(int64(fs.Bavail), int64(fs.Blocks-fs.Bfree)+int64(fs.Bavail))
	if fs.Files > 0 {
		free := share(int64(fs.Ffree), int64(fs.Files))
		h.INodeFreePercent = &free
	}
	return nil
}

// share is a percentage; of nothing, all is free.
func share(part, whole int64) float64 {
	if whole <= 0 {
		return 100
	}
	return 100 * float64(part) / float64(whole)
}

// ports tries all ports side by side, over IPv4 and IPv6.
func (h *Host) ports(ctx context.Context, args HostArgs) error {
	if i := slices.IndexFunc(args.Ports, func(port int) bool { return port < 1 || port > 65535 }); i >= 0 {
		return sdk.InvalidArgument("ports", "%d is not a port", args.Ports[i])
	}
	type answer struct {
		port string
		open bool
	}
	answers := make(chan answer)
	dialer := &net.Dialer{Timeout: args.PortTimeout}
	for _, port := range args.Ports {
		go func() {
			number := strconv.Itoa(port)
			conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("localhost", number))
			if err == nil {
				_ = conn.Close()
			}
			answers <- answer{number, err == nil}
		}()
	}
	h.Ports = map[string]bool{}
	for range args.Ports {
		got := <-answers
		h.Ports[got.port] = got.open
	}
	return ctx.Err()
}
