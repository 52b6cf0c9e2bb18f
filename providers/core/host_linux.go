package core

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// memory reads memory and load where the kernel tells them.
func (h *Host) memory() error {
	loads, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	fields := strings.Fields(string(loads))
	for i, load := range []**float64{&h.Load1, &h.Load5, &h.Load15} {
		if i >= len(fields) {
			return fmt.Errorf("/proc/loadavg says %q", loads)
		}
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return fmt.Errorf("/proc/loadavg: %w", err)
		}
		*load = &value
	}

	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	wanted := map[string]**int64{"MemTotal": &h.MemoryTotal, "MemAvailable": &h.MemoryAvailable}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		target := wanted[name]
		if target == nil {
			continue
		}
		kibibytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		if err != nil {
			return fmt.Errorf("/proc/meminfo: %w", err)
		}
		bytes := kibibytes << 10
		*target = &bytes
	}
	if h.MemoryTotal == nil || h.MemoryAvailable == nil {
		return fmt.Errorf("/proc/meminfo names neither MemTotal nor MemAvailable")
	}
	return nil
}
