package journal

// batch is a group in the making. Whoever begins one leads it: waits until the
// group before is durable, meanwhile others may join, then writes it for all.
type batch struct {
	lines   records
	written chan struct{} // closed when err stands
	err     error
}

// A batch that has grown past either bound is joined by nobody else; it is
// still written whole.
const (
	batchRecords = 4096
	batchBytes   = 4 << 20
)

// join adds lines to the batch that is open for joining, or begins one. The
// batch is nil where there is nothing to write.
func (j *Journal) join(lines records) (b *batch, leads bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failure != nil || len(lines.ends) == 0 {
		return nil, false, j.failure
	}
	if b = j.next; b != nil && len(b.lines.ends) < batchRecords && len(b.lines.bytes)+len(lines.bytes) < batchBytes {
		b.lines.add(lines)
		return b, false, nil
	}
	j.next = &batch{lines: lines, written: make(chan struct{})}
	return j.next, true, nil
}

// take closes b for joining.
func (j *Journal) take(b *batch) records {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.next == b {
		j.next = nil
	}
	return b.lines
}

// write makes lines the next group. The caller holds j.writing.
func (j *Journal) write(lines records) error {
	j.mu.Lock()
	failure, previous := j.failure, j.seal
	j.mu.Unlock()
	if failure != nil {
		return failure
	}
	seal := sealOf(previous, j.groups+1, lines)
	group := append(lines.bytes, seal.line()...)
	op := "write"
	_, err := j.file.WriteAt(group, j.size)
	if err == nil {
		op = "sync"
		err = j.file.Sync()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.failure = &WriteError{Path: j.path, Op: op, Err: err}
		return j.failure
	}
	j.size += int64(len(group))
	j.groups++
	j.seal = seal.SHA256
	return nil
}
