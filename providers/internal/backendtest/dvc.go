package backendtest

import "path/filepath"

// WithDVC stores the path of the real dvc program in *to, from the pinned
// environment that scripts/venv makes where it is missing.
func WithDVC(to *string) Backend {
	return func() (func(), error) {
		venv, err := script("install DVC", "venv", "dvc")
		if err != nil {
			return nil, err
		}
		*to = filepath.Join(venv, "bin", "dvc")
		return func() {}, nil
	}
}
