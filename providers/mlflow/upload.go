package mlflow

import (
	"context"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/runbook-engine/runbook/providers/internal/batch"
	"github.com/runbook-engine/runbook/providers/internal/folder"
	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const uploadDoc = `Puts the files of a folder into the artifacts of a run: with mode missing those whose paths are not there, with mode overwrite also those that have another
content there, which is destructive.` + filesDoc

const logModelDoc = `Puts the files of a folder, such as one that mlflow.pyfunc.save_model wrote, into the artifacts of a logged model: with mode missing those whose paths are not
there, with mode overwrite also those that have another content there, which is destructive.` + filesDoc

const filesDoc = ` It goes through the server, or straight to S3, as the artifacts' address says. Each file that is
written is read back and compared by its hash. The preview is the comparison itself. Limits are kept: more is refused before anything is written.
Doing it again is harmless.`

func uploadUnits() []string { return []string{"files", "bytes", "overwritten"} }

// From is what both uploads take.
type From struct {
	Directory string `runbook:"directory" doc:"The folder; a relative one starts from the runbook's. No link leads out of it."`
	Mode      string `runbook:"mode" default:"missing" doc:"missing: write only what is not there. overwrite: write also over what has another content."`
}

type uploadArgs struct {
	RunID string `runbook:"run_id" doc:"The run."`
	Path  string `runbook:"artifact_path,optional" doc:"Folder of the run's artifacts to put them into; without one, the uppermost."`
	From
}

type logModelArgs struct {
	ModelID string `runbook:"model_id" doc:"ID of the logged model, such as m-045e0ff56f35; see mlflow.run_artifacts and mlflow.model_version."`
	From
}

type uploadResult struct {
	sdk.Result
	Files       int64    `runbook:"files" doc:"How many files were written, and verified."`
	Bytes       int64    `runbook:"bytes" doc:"Their sizes, added up."`
	Overwritten int64    `runbook:"overwritten" doc:"How many of them took the place of another content."`
	Unchanged   int64    `runbook:"unchanged" doc:"How many were left alone: there with this content or, with mode missing, there at all."`
	Differing   []string `runbook:"differing" doc:"With mode missing, paths that are there with another size, and were left alone."`
	ArtifactURI string   `runbook:"artifact_uri" doc:"Where the artifacts are."`
}

func (h From) validate() *schema.Failure {
	switch {
	case h.Directory == "":
		return sdk.InvalidArgument("directory", "directory is empty")
	case h.Mode != "missing" && h.Mode != "overwrite":
		return sdk.InvalidArgument("mode", "mode must be missing or overwrite, got %q", h.Mode)
	}
	return nil
}

func (args uploadArgs) validate() *schema.Failure {
	switch {
	case args.RunID == "":
		return sdk.InvalidArgument("run_id", "run_id is empty")
	case args.Path != "" && !filepath.IsLocal(args.Path):
		return sdk.InvalidArgument("artifact_path", "artifact_path must lie below the run's artifacts, got %q", args.Path)
	}
	return args.From.validate()
}

func (args logModelArgs) validate() *schema.Failure {
	if args.ModelID == "" {
		return sdk.InvalidArgument("model_id", "model_id is empty")
	}
	return args.From.validate()
}

// upload is an upload that has been thought through.
type upload struct {
	at     *root
	from   *folder.Folder
	tasks  []task
	result uploadResult // unchanged and differing so far
	bytes  int64
}

type task struct {
	folder.File
	to       string // path below the root
	replaces bool
}

func (u *upload) impact() schema.Impact {
	impact := schema.Impact{"files": int64(len(u.tasks)), "bytes": u.bytes, "overwritten": 0}
	for _, t := range u.tasks {
		if t.replaces {
			impact["overwritten"]++
		}
	}
	return impact
}

// directory is the folder of an upload.
func (p *provider) directory(h From) string {
	if filepath.IsAbs(h.Directory) {
		return filepath.Clean(h.Directory)
	}
	return filepath.Join(p.dir, h.Directory)
}

// compare finds what is to be written below a path of a root. The caller closes
// the upload.
func (c *client) compare(ctx context.Context, at *root, below string, h From) (u *upload, err error) {
	from, err := folder.Open(c.directory(h))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			from.Close()
		}
	}()
	files, err := from.Files(ctx, ".")
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		f := sdk.Fail("nothing_to_upload", "%s holds no file", from.Path)
		f.Remedy = "correct directory"
		return nil, f
	}
	held, err := at.files(ctx, strings.Trim(below, "/"))
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	for _, one := range held {
		sizes[one.Path] = one.Bytes
	}
	u = &upload{at: at, from: from, result: uploadResult{ArtifactURI: at.uri.String()}}
	return u, u.sort(ctx, files, sizes, below, h.Mode == "overwrite")
}

// sort tells what is to be written from what is there.
func (u *upload) sort(ctx context.Context, files []folder.File, sizes map[string]int64, below string, overwrite bool) error {
	differs := make([]bool, len(files))
	group, bounded := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i, file := range files {
		to := path.Join(below, file.Path)
		size, there := sizes[to]
		if there && size == file.Size && overwrite {
			group.Go(func() error {
				same, err := u.same(bounded, file.Path, to)
				differs[i] = !same
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, file := range files {
		to := path.Join(below, file.Path)
		size, there := sizes[to]
		switch {
		case there && !overwrite && size != file.Size:
			u.result.Differing = append(u.result.Differing, to)
			u.result.Unchanged++
		case there && (!overwrite || size == file.Size && !differs[i]):
			u.result.Unchanged++
		default:
			u.tasks = append(u.tasks, task{file, to, there})
			u.bytes += file.Size
		}
	}
	return nil
}

// same compares a file with an artifact by their hashes.
func (u *upload) same(ctx context.Context, name, to string) (bool, error) {
	here, _, err := u.from.Sum(ctx, name)
	if err != nil {
		return false, err
	}
	there, err := u.at.sum(ctx, to)
	return here == there, err
}

func (u *upload) within(call *sdk.Call) error {
	impact := u.impact()
	for _, unit := range uploadUnits() {
		if limit, limited := call.Limit(unit); limited && impact[unit] > limit {
			f := sdk.Fail("limit_exceeded", "it would be %d %s, the limit is %d; nothing was written", impact[unit], unit, limit)
			f.Remedy = "narrow directory, or raise limit"
			return f
		}
	}
	return nil
}

// run writes what was thought through, and says how far it came.
func (u *upload) run(ctx context.Context, call *sdk.Call) (uploadResult, []error) {
	var mu sync.Mutex
	result := u.result
	failures := batch.Run(ctx, workers, u.tasks, func(one task) error {
		if err := u.one(ctx, one); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		result.Files++
		result.Bytes += one.Size
		if one.replaces {
			result.Overwritten++
		}
		call.Progress(float64(result.Files), float64(len(u.tasks)), "%d of %s written", result.Files, phrase.Count(int64(len(u.tasks)), "file", "files"))
		return nil
	})
	return result, failures
}

// one writes a file and reads it back.
func (u *upload) one(ctx context.Context, t task) error {
	file, err := u.from.Open(t.Path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if err := u.at.write(ctx, t.to, folder.Until(ctx, file), t.Size); err != nil {
		if answered(err) {
			return u.at.failure(ctx, err)
		}
		return batch.Lost(u.at.failure(ctx, err))
	}
	same, err := u.same(ctx, t.Path, t.to)
	if err == nil && !same {
		f := sdk.Fail("copy_differs", "the artifact %s is not what was written", t.to)
		f.Remedy = "see whether somebody else writes there, and try again"
		err = f
	}
	if err != nil {
		return batch.Changed(u.at.failure(ctx, err))
	}
	return nil
}
