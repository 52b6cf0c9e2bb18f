// Command standin is a small service for the tests and the lab of the docker
// provider: static, so that it alone is an image. It stands in for the services
// of a real system and is called a stand-in wherever it is used.
//
//	standin [serve]     HTTP on $ADDRESS (default :8080) until SIGTERM
//	standin once [CODE] says one line and exits, as a job does
//	standin check       asks the /health of the service in the same container
//	standin break|mend  has /health fail, and answer again
//	standin stop        ends the service as if it had crashed
//	standin say WORD…   says a line, one to each of its outputs
//	standin echo        says what is on its standard input
//	standin wait        waits for SIGTERM, and takes its time where $STUBBORN is set
//
// Its version is $VERSION, which an image has baked in. /health fails from the
// start where $HEALTH is "never".
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sick is there while the service is to fail its health check.
const sick = "/sick"

func main() {
	command, args := "serve", os.Args[1:]
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	code, err := run(command, args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "standin:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(command string, args []string) (int, error) {
	switch command {
	case "serve":
		return 0, serve()
	case "once":
		fmt.Println("did it once, version", os.Getenv("VERSION"))
		if len(args) == 0 {
			return 0, nil
		}
		return strconv.Atoi(args[0])
	case "check":
		return check()
	case "break":
		return 0, os.WriteFile(sick, nil, 0o600)
	case "mend":
		if err := os.Remove(sick); !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
		return 0, nil
	case "stop":
		return 0, syscall.Kill(1, syscall.SIGUSR1)
	case "say":
		fmt.Println(strings.Join(args, " "))
		fmt.Fprintln(os.Stderr, "aside:", strings.Join(args, " "))
		return 0, nil
	case "echo":
		_, err := io.Copy(os.Stdout, os.Stdin)
		return 0, err
	case "wait":
		wait()
		return 0, nil
	}
	return 2, fmt.Errorf("no command %q", command)
}

func address() string {
	if a := os.Getenv("ADDRESS"); a != "" {
		return a
	}
	return ":8080"
}

func serve() error {
	stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	crash := make(chan os.Signal, 1)
	signal.Notify(crash, syscall.SIGUSR1)
	answer := func(w http.ResponseWriter, status int, text string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "%s %s %s\n", os.Getenv("NAME"), os.Getenv("VERSION"), text)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		if _, err := os.Stat(sick); err == nil || os.Getenv("HEALTH") == "never" {
			answer(w, http.StatusServiceUnavailable, "is not well")
			return
		}
		answer(w, http.StatusOK, "is well")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "answers") })
	server := &http.Server{Addr: address(), Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	fmt.Printf("serving version %s on %s\n", os.Getenv("VERSION"), address())
	select {
	case err := <-failed:
		return err
	case <-crash:
		return errors.New("crashed, as it was told to")
	case <-stopped.Done():
		fmt.Println("stopping")
		return server.Shutdown(context.Background())
	}
}

// check prints what /health says; its code tells whether that is good.
func check() (int, error) {
	host, port, err := net.SplitHostPort(address())
	if err != nil {
		return 1, err
	}
	if host == "" {
		host = "127.0.0.1"
	}
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get("http://" + net.JoinHostPort(host, port) + "/health")
	if err != nil {
		return 1, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	fmt.Print(string(said))
	if response.StatusCode != http.StatusOK {
		return 1, err
	}
	return 0, err
}

// wait ends with the signal, or ignores it where it is stubborn.
func wait() {
	fmt.Println("waiting")
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	for range signals {
		if os.Getenv("STUBBORN") == "" {
			return
		}
	}
}
