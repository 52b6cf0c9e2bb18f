package backendtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// MinIO is a running server with one administrator. It is safe for concurrent
// use.
type MinIO struct {
	Host      string // loopback address
	Port      int
	AccessKey string // an administrator
	SecretKey string
	Drives    []string // the folders that it stores to
	Tools     string   // the folder that holds mc

	dir     string
	process *server
	buckets atomic.Int64
}

// WithMinIO starts a server of so many drives and stores it in *to.
func WithMinIO(to **MinIO, drives int) Backend {
	return func() (func(), error) {
		m, err := StartMinIO(drives)
		if err != nil {
			return nil, err
		}
		*to = m
		return m.Stop, nil
	}
}

// StartMinIO starts a server. One that has several drives, four say, spreads each
// object over all of them and can heal what one lost. The caller stops it; should
// it not, the server ends with the process.
func StartMinIO(drives int) (*MinIO, error) {
	tools, err := script("build MinIO", "minio")
	if err != nil {
		return nil, err
	}
	dir, err := folder(nil)
	if err != nil {
		return nil, err
	}
	m := &MinIO{Host: "127.0.0.1", AccessKey: "minio-admin", SecretKey: "minio-secret", Tools: tools, dir: dir}
	for i := range drives {
		drive := filepath.Join(dir, fmt.Sprintf("drive%d", i+1))
		if err := os.Mkdir(drive, 0o700); err != nil {
			return nil, errors.Join(fmt.Errorf("make a drive of MinIO: %w", err), os.RemoveAll(dir))
		}
		m.Drives = append(m.Drives, drive)
	}
	if err := m.start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return m, nil
}

func (m *MinIO) start() error {
	if m.Port == 0 {
		port, err := freePort()
		if err != nil {
			return err
		}
		m.Port = port
	}
	command := exec.Command(filepath.Join(m.Tools, "minio"), append([]string{"server", "--address", m.Address()}, m.Drives...)...)
	command.Dir = m.dir
	command.Env = append(os.Environ(), "MINIO_ROOT_USER="+m.AccessKey, "MINIO_ROOT_PASSWORD="+m.SecretKey,
		"MINIO_BROWSER=off", "MINIO_UPDATE=off", "MINIO_SCANNER_SPEED=slowest",
		"MINIO_CI_CD=on") // drives may share a disk
	process, err := serve(command, nil, syscall.SIGKILL, "API: http")
	m.process = process
	return err
}

// Kill ends the server at once, as a power cut would.
func (m *MinIO) Kill() { m.process.stop(syscall.SIGKILL) }

// Restart starts a killed server again on its port and drives.
func (m *MinIO) Restart(t testing.TB) {
	t.Helper()
	if err := m.start(); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the server and removes its drives.
func (m *MinIO) Stop() {
	m.process.stop(syscall.SIGKILL)
	os.RemoveAll(m.dir)
}

// Address is the server's host and port.
func (m *MinIO) Address() string { return m.Host + ":" + strconv.Itoa(m.Port) }

// Client is a client of the administrator.
func (m *MinIO) Client(t testing.TB) *minio.Client {
	t.Helper()
	client, err := minio.New(m.Address(), &minio.Options{Creds: credentials.NewStaticV4(m.AccessKey, m.SecretKey, "")})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Bucket makes a bucket that no other test uses.
func (m *MinIO) Bucket(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("bucket-%d", m.buckets.Add(1))
	if err := m.Client(t).MakeBucket(context.Background(), name, minio.MakeBucketOptions{}); err != nil {
		t.Fatalf("make the test's bucket: %v", err)
	}
	return name
}

// MC runs MinIO's own command line, for which the server is the alias test, and
// returns what it printed.
func (m *MinIO) MC(t testing.TB, args ...string) string {
	t.Helper()
	command := exec.Command(filepath.Join(m.Tools, "mc"), append([]string{"--config-dir", t.TempDir()}, args...)...)
	command.Env = append(os.Environ(), fmt.Sprintf("MC_HOST_test=http://%s:%s@%s", m.AccessKey, m.SecretKey, m.Address()))
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("mc %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return string(output)
}
