package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// asProgram makes a copy of the test binary behave as rkx-node itself.
const asProgram = "RKX_NODE_TEST_AS_PROGRAM"

// testFolder names what stands in the place of rkx's own folder.
const testFolder = "RKX_NODE_TEST_FOLDER"

// beginLine is how a batch of the tests begins.
const beginLine = `{"verb":"begin","cluster":"tests","number":1,"batch":"b"}`

func TestMain(m *testing.M) {
	fenceFolder = os.Getenv(testFolder)
	machineNamespaces = "/proc/self/ns/" // the tests' own, whoever process 1 is here
	if os.Getenv(asProgram) != "" {
		os.Exit(run(os.Args[1:]))
	}
	if path := os.Getenv(stageAndDie); path != "" {
		stageThenKillOneself(path)
	}
	os.Exit(inFolder(m))
}

func inFolder(m *testing.M) int {
	made, err := os.MkdirTemp("", "rkx-node-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(made)
	fenceFolder = filepath.Join(made, "rkx")
	return m.Run()
}

// program gives rkx-node as a process of its own.
func program(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command("/proc/self/exe", arguments...)
	command.Env = append(os.Environ(), asProgram+"=1", testFolder+"="+fenceFolder)
	return command
}

// batch runs lines through the batch's own reader, and gives its answers but the first one, and its exit code.
func batch(t *testing.T, lines ...string) ([]report, int) {
	t.Helper()
	answers, code := wholeBatch(t, append([]string{beginLine}, lines...)...)
	if len(answers) > 0 {
		answers = answers[1:]
	}
	return answers, code
}

func wholeBatch(t *testing.T, lines ...string) ([]report, int) {
	t.Helper()
	var out, complaints bytes.Buffer
	code := runBatch(strings.NewReader(strings.Join(lines, "\n")+"\n"), &out, &complaints)
	var answers []report
	decoder := json.NewDecoder(&out)
	for decoder.More() {
		var answer report
		if err := decoder.Decode(&answer); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
	return answers, code
}

// line is one operation as rkx sends it.
func line(t *testing.T, operation any) string {
	t.Helper()
	text, err := json.Marshal(operation)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// apart runs work on a thread with new namespaces of its own, which end with it.
func apart(t *testing.T, flags int, work func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		defer close(done) // also when a check inside ends this goroutine
		runtime.LockOSThread()
		if err := syscall.Unshare(flags | syscall.CLONE_FS); err != nil {
			done <- err
			return
		}
		if flags&syscall.CLONE_NEWNS != 0 {
			if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
				done <- err
				return
			}
		}
		done <- work()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code syscall.Errno) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("want %v, got %v", code, err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
