package file

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/folder"
	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const archiveDoc = `Packs files and folders into a tar archive, gzipped where its name ends in .tar.gz or .tgz. The archive appears when it is whole, and is read back: each file in it
is compared, by its hash, with what was packed. The same files give the same archive, so that doing it again is harmless. A link, or what is no regular file, stops it
before anything is done.`

type archiveArgs struct {
	To        string   `runbook:"to" doc:"The archive, such as /backups/config.tar.gz. Folders above it are made where they are missing."`
	Directory string   `runbook:"directory" default:"." doc:"The folder that paths start from; their names in the archive do too."`
	Paths     []string `runbook:"paths" doc:"Files and folders to pack, below directory."`
	Overwrite bool     `runbook:"overwrite" default:"false" doc:"Take the place of an archive with another content, which is destructive; else that is a failure, and nothing is written."`
}

type archiveResult struct {
	sdk.Result
	Files          int64  `runbook:"files" doc:"How many files are in the archive."`
	Bytes          int64  `runbook:"bytes" doc:"Their sizes, added up."`
	Overwritten    int64  `runbook:"overwritten" doc:"1 where another archive was there, else 0."`
	ArchiveBytes   int64  `runbook:"archive_bytes" doc:"Size of the archive."`
	Changed        bool   `runbook:"changed" doc:"Whether the archive was written; false: it was there with this content."`
	SHA256         string `runbook:"sha256" doc:"Hash of the archive in hex."`
	PreviousSHA256 string `runbook:"previous_sha256" doc:"Hash of what was there before; empty where nothing was."`
}

func (p *provider) checkArchive(args archiveArgs) *schema.Failure {
	if f := p.check("to", args.To); f != nil {
		return f
	}
	if f := p.check("directory", args.Directory); f != nil {
		return f
	}
	if len(args.Paths) == 0 {
		return sdk.InvalidArgument("paths", "paths names nothing to pack")
	}
	for _, name := range args.Paths {
		if !filepath.IsLocal(name) {
			return sdk.InvalidArgument("paths", "%q does not lie below directory", name)
		}
	}
	if !zipped(args.To) && !strings.HasSuffix(args.To, ".tar") {
		return sdk.InvalidArgument("to", "the name of the archive must end in .tar, .tar.gz or .tgz")
	}
	return nil
}

func zipped(name string) bool {
	return strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz")
}

// packing is an archive thought through.
type packing struct {
	target
	from  *folder.Folder
	files []folder.File
	bytes int64
}

// planArchive packs into nothing, to know the archive before it is written.
func (p *provider) planArchive(ctx context.Context, args archiveArgs) (*packing, error) {
	from, err := p.open(p.absolute(args.Directory))
	if err != nil {
		return nil, err
	}
	a := &packing{target: target{path: p.absolute(args.To)}, from: from}
	if err := p.fill(ctx, a, args); err != nil {
		from.Close()
		return nil, err
	}
	return a, nil
}

func (p *provider) fill(ctx context.Context, a *packing, args archiveArgs) error {
	for _, name := range args.Paths {
		files, err := a.from.Files(ctx, path.Clean(filepath.ToSlash(name)))
		if err != nil {
			return err
		}
		a.files = append(a.files, files...)
	}
	slices.SortFunc(a.files, func(x, y folder.File) int { return strings.Compare(x.Path, y.Path) })
	a.files = slices.CompactFunc(a.files, func(x, y folder.File) bool { return x.Path == y.Path })
	for _, file := range a.files {
		if filepath.Join(a.from.Path, file.Path) == a.path {
			return sdk.InvalidArgument("to", "the archive lies among what is packed into it")
		}
		a.bytes += file.Size
	}
	if len(a.files) == 0 {
		f := sdk.Fail("nothing_to_pack", "there is no file in %s", strings.Join(args.Paths, ", "))
		f.Remedy = "correct paths and directory"
		return f
	}
	packed := &counted{sum: sha256.New()}
	if err := a.pack(ctx, packed, nil); err != nil {
		return err
	}
	a.size, a.sum = packed.n, hex.EncodeToString(packed.sum.Sum(nil))
	return p.look(ctx, &a.target)
}

type counted struct {
	sum hash.Hash
	n   int64
}

func (c *counted) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return c.sum.Write(b)
}

// pack writes the archive; took, where not nil, hears the hash of each file.
func (a *packing) pack(ctx context.Context, to io.Writer, took func(name, sum string)) error {
	outer := io.WriteCloser(closing{to})
	if zipped(a.path) {
		outer = gzip.NewWriter(to)
	}
	packer := tar.NewWriter(outer)
	for _, file := range a.files {
		sum, err := a.packOne(ctx, packer, file)
		if err != nil {
			return err
		}
		if took != nil {
			took(file.Path, sum)
		}
	}
	return errors.Join(packer.Close(), outer.Close())
}

type closing struct{ io.Writer }

func (closing) Close() error { return nil }

func (a *packing) packOne(ctx context.Context, packer *tar.Writer, file folder.File) (string, error) {
	source, err := a.from.Open(file.Path)
	if err != nil {
		return "", err
	}
	defer func() { _ = source.Close() }()
	header := &tar.Header{Typeflag: tar.TypeReg, Name: file.Path, Size: file.Size, Mode: int64(file.Mode), ModTime: file.ModTime, Format: tar.FormatPAX}
	if err := packer.WriteHeader(header); err != nil {
		return "", fmt.Errorf("pack %s: %w", file.Path, err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(packer, sum), folder.Until(ctx, source))
	if err == nil && n != file.Size || errors.Is(err, tar.ErrWriteTooLong) {
		return "", a.changed(file.Path)
	}
	if err != nil {
		return "", folder.Failure("pack", a.from.Name(file.Path), err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func (a *packing) changed(name string) *schema.Failure {
	return &schema.Failure{
		Code: "changed_meanwhile", Retryable: true,
		Message: fmt.Sprintf("%s was written to while it was packed; no archive was made", a.from.Name(name)),
		Remedy:  "stop the writers first, then try again",
	}
}

func (p *provider) archive(ctx context.Context, args archiveArgs, call *sdk.Call) (archiveResult, error) {
	if f := p.checkArchive(args); f != nil {
		return archiveResult{}, sdk.Clean(f)
	}
	a, err := p.planArchive(ctx, args)
	if err != nil {
		return archiveResult{}, sdk.Clean(ended(ctx, err))
	}
	defer a.from.Close()
	if err := a.check(args.Overwrite, call); err != nil {
		return archiveResult{}, sdk.Clean(err)
	}
	impact := a.impact()
	result := archiveResult{
		Files: int64(len(a.files)), Bytes: a.bytes, Overwritten: impact["overwritten"],
		ArchiveBytes: a.size, Changed: !a.same(), SHA256: a.sum, PreviousSHA256: a.oldSum,
	}
	if !result.Changed {
		result.Result = sdk.OK("%s holds these %s already", a.path, phrase.Count(result.Files, "file", "files"))
		return result, nil
	}
	packed := map[string]string{}
	err = p.put(ctx, a.target, 0, func(w io.Writer) error {
		return a.pack(ctx, w, func(name, sum string) { packed[name] = sum })
	})
	if err == nil {
		err = p.unpacks(ctx, a.path, packed)
	}
	if err != nil {
		return archiveResult{}, err
	}
	result.Result = sdk.OK("packed %s, %s, into %s, %s", phrase.Count(result.Files, "file", "files"), phrase.Size(a.bytes), a.path, phrase.Size(a.size))
	return result, nil
}

// unpacks reads an archive back and compares what is in it.
func (p *provider) unpacks(ctx context.Context, name string, packed map[string]string) error {
	dir, err := p.open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	file, err := dir.Open(filepath.Base(name))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	inner := folder.Until(ctx, file)
	if zipped(name) {
		if inner, err = gzip.NewReader(inner); err != nil {
			return folder.Failure("read back", name, err)
		}
	}
	for reader := tar.NewReader(inner); ; {
		header, err := reader.Next()
		if err == io.EOF && len(packed) == 0 {
			return nil
		}
		if err != nil {
			return folder.Failure("read back", name, fmt.Errorf("%d files are missing: %w", len(packed), err))
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, reader); err != nil || hex.EncodeToString(sum.Sum(nil)) != packed[header.Name] {
			f := sdk.Fail("copy_differs", "%s in %s is not what was packed", header.Name, name)
			f.Remedy = "see whether somebody else writes there, and try again"
			return f
		}
		delete(packed, header.Name)
	}
}
