package dvc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/runbook-engine/runbook/providers/internal/batch"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// item is one object that something tracked consists of.
type item struct {
	object
	path string // one of the files that hold it
	size int64  // -1: not known
	in   int    // index of the folder's list among the comparison's; -1: of none
}

// list is a folder's list of files, which is an object itself.
type list struct {
	output output
	files  []listed
	known  bool // false: it is neither here nor there
}

// listed is one file of a folder's list.
type listed struct {
	Path string `json:"relpath"`
	MD5  string `json:"md5"`
}

// comparison is what cache and remote hold of everything that a source tracks.
type comparison struct {
	index      index
	outputs    []output // those that belong to this remote
	elsewhere  int      // outputs that go to another remote, or to none
	unrecorded []string // outputs whose content is not recorded yet
	lists      []list
	items      []item
	here       map[object]int64 // sizes in the cache
	there      map[object]int64 // sizes in the remote
}

// belongs keeps the outputs that go to a remote of that name.
func (c *comparison) belongs(remote string) {
	for _, out := range c.index.outputs {
		switch {
		case !out.push || out.remote != "" && out.remote != remote:
			c.elsewhere++
		case out.object == object{}:
			c.unrecorded = append(c.unrecorded, out.path)
		default:
			c.outputs = append(c.outputs, out)
		}
	}
}

// compare looks at cache and remote for all that a source tracks.
func (s source) compare(ctx context.Context, name string, remote store) (*comparison, error) {
	c := &comparison{}
	var err error
	if c.index, err = s.index(ctx); err != nil {
		return nil, err
	}
	c.belongs(name)
	if err := c.expand(ctx, s.cache(), remote); err != nil {
		return nil, err
	}
	objects := c.objects()
	var group sync.WaitGroup
	var failed [2]error
	group.Go(func() { c.here, failed[0] = s.cache().sizes(ctx, objects) })
	group.Go(func() { c.there, failed[1] = remote.sizes(ctx, objects) })
	group.Wait()
	return c, errors.Join(failed[1], failed[0])
}

// expand makes items of the outputs, reading the lists of folders wherever they
// are. Without a remote only the cache has them.
func (c *comparison) expand(ctx context.Context, cache folder, remote store) error {
	for _, out := range c.outputs {
		size := int64(-1)
		if out.object.isDir() {
			c.lists = append(c.lists, list{output: out})
		} else if out.size != nil {
			size = *out.size
		}
		c.items = append(c.items, item{object: out.object, path: out.path, size: size, in: -1})
	}
	indexes := make([]int, len(c.lists))
	for i := range indexes {
		indexes[i] = i
	}
	failures := batch.Run(ctx, 8, indexes, func(i int) error {
		l := &c.lists[i]
		content, err := cache.read(ctx, l.output.object)
		if errors.Is(err, fs.ErrNotExist) && remote != nil {
			content, err = remote.read(ctx, l.output.object)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		}
		l.known = true
		if err := json.Unmarshal(content, &l.files); err != nil {
			f := sdk.Fail("damaged_list", "the list of the files of %s (%s) cannot be read: %v", l.output.path, l.output.object.hash, err)
			f.Remedy = "remove it from the cache, and fetch it again"
			return f
		}
		for _, file := range l.files {
			if !objectHash.MatchString(file.MD5) {
				f := sdk.Fail("damaged_list", "the list of the files of %s (%s) names no object for %s", l.output.path, l.output.object.hash, file.Path)
				f.Remedy = "remove it from the cache, and fetch it again"
				return f
			}
		}
		return nil
	})
	if len(failures) > 0 {
		return ended(ctx, failures[0], "looking into folders")
	}
	for i, l := range c.lists {
		for _, file := range l.files {
			c.items = append(c.items, item{
				object: object{file.MD5, l.output.object.legacy}, path: path.Join(l.output.path, file.Path), size: -1, in: i,
			})
		}
	}
	return nil
}

// objects are the items' objects, each once.
func (c *comparison) objects() []object {
	seen := make(map[object]bool, len(c.items))
	found := make([]object, 0, len(c.items))
	for _, it := range c.items {
		if !seen[it.object] {
			seen[it.object] = true
			found = append(found, it.object)
		}
	}
	return found
}

// amount is how much of something there is.
type amount struct {
	Objects int64    `runbook:"objects" doc:"How many objects; what several files hold alike is one."`
	Bytes   int64    `runbook:"bytes" doc:"Their size, as far as it is known."`
	Files   []string `runbook:"files" doc:"Up to 100 of the files that consist of them; the list of a folder's files stands under the folder's name."`
}

// shownFiles bounds the files in an amount.
const shownFiles = 100

func (a *amount) add(it item, size int64) {
	a.Objects++
	a.Bytes += max(size, 0)
	if len(a.Files) < shownFiles {
		a.Files = append(a.Files, it.path)
	}
}

// parts is a comparison sorted out.
type parts struct {
	all, present, toPush, toFetch, lost, damaged amount
	pushing                                      []item // toPush and damaged, files before the lists that name them
	heldBack                                     []item // lists to push that name a lost file: no remote may have one
	gone                                         []item // lost
}

// parts sorts the items by where they are.
func (c *comparison) parts() parts {
	var p parts
	seen := make(map[object]bool, len(c.items))
	left := c.unknownSizes()
	for _, it := range c.items {
		if seen[it.object] {
			continue
		}
		seen[it.object] = true
		here, isHere := c.here[it.object]
		there, isThere := c.there[it.object]
		size := it.size
		if isThere {
			size = there
		}
		if isHere {
			size = here
		}
		switch {
		case isHere && isThere && here != there:
			p.damaged.add(it, here)
			p.pushing = append(p.pushing, it)
		case isHere && isThere:
			p.present.add(it, size)
		case isHere:
			p.toPush.add(it, size)
			p.pushing = append(p.pushing, it)
		case isThere && it.size >= 0 && it.size != there:
			p.damaged.add(it, it.size)
		case isThere:
			p.toFetch.add(it, size)
		default:
			if it.in >= 0 {
				size = left[it.in]
				left[it.in] = 0
			}
			p.lost.add(it, size)
			p.gone = append(p.gone, it)
		}
		p.all.add(it, size)
	}
	for _, l := range c.lists {
		if l.known || c.counted(l) {
			continue
		}
		// Nobody knows any more which files there were: without the list they are
		// lost, wherever they lie.
		p.lost.Objects += l.output.files
		p.all.Objects += l.output.files
		if l.output.size != nil {
			p.lost.Bytes += *l.output.size
			p.all.Bytes += *l.output.size
		}
	}
	p.pushing = slices.DeleteFunc(p.pushing, func(it item) bool {
		held := it.isDir() && c.names(it, p.gone)
		if held {
			p.heldBack = append(p.heldBack, it)
		}
		return held
	})
	slices.SortStableFunc(p.pushing, func(a, b item) int {
		switch {
		case a.isDir() == b.isDir():
			return 0
		case a.isDir():
			return 1
		}
		return -1
	})
	return p
}

// names tells whether a list names one of the items.
func (c *comparison) names(it item, items []item) bool {
	return slices.ContainsFunc(items, func(other item) bool {
		return other.in >= 0 && c.lists[other.in].output.object == it.object
	})
}

// counted tells whether an earlier output has the same list.
func (c *comparison) counted(l list) bool {
	for _, other := range c.lists {
		if other.output.object == l.output.object {
			return other.output.path != l.output.path
		}
	}
	return false
}

// unknownSizes are the bytes of each folder that none of its files that are
// anywhere accounts for: those of the ones that are lost.
func (c *comparison) unknownSizes() []int64 {
	left := make([]int64, len(c.lists))
	for i, l := range c.lists {
		if l.output.size != nil {
			left[i] = *l.output.size
		}
	}
	for _, it := range c.items {
		if it.in < 0 {
			continue
		}
		if size, ok := c.here[it.object]; ok {
			left[it.in] -= size
		} else if size, ok := c.there[it.object]; ok {
			left[it.in] -= size
		}
	}
	for i := range left {
		left[i] = max(left[i], 0)
	}
	return left
}

// some names the first of many.
func some(names []string) string {
	const shown = 5
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}
