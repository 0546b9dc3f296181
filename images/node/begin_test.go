package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// fenced gives a folder of its own in the place of rkx's.
func fenced(t *testing.T) string {
	t.Helper()
	former := fenceFolder
	fenceFolder = filepath.Join(t.TempDir(), "rkx")
	t.Cleanup(func() { fenceFolder = former })
	return filepath.Join(fenceFolder, fenceName)
}

func numbered(cluster string, number int) string {
	return fmt.Sprintf(`{"verb":"begin","cluster":%q,"number":%d,"batch":"mine"}`, cluster, number)
}

func TestALowerNumberIsRefusedWithoutATrace(t *testing.T) {
	fence, path := fenced(t), filepath.Join(t.TempDir(), "file")
	put := func(text string) string {
		return line(t, report{"verb": "put", "path": path, "mode": "0600", "content": []byte(text)})
	}
	for _, step := range []struct {
		number int
		text   string
		code   int
		found  string
	}{{5, "five", exitDone, "five"}, {5, "again", exitDone, "again"}, {7, "seven", exitDone, "seven"},
		{6, "six", exitFailed, "seven"}, {7, "last", exitDone, "last"}} {
		answers, code := wholeBatch(t, numbered("cafe", step.number), put(step.text), endLine)
		if code != step.code || content(t, path) != step.found {
			t.Fatalf("number %d: exit %d, found %q, answered %v", step.number, code, content(t, path), answers)
		}
		if answers[0]["batch"] != "mine" {
			t.Errorf("answered %v", answers[0])
		}
		if code == exitFailed && (len(answers) != 1 || answers[0]["seen"] != 7.0 || !strings.HasPrefix(answers[0]["error"].(string), "EPERM: ")) {
			t.Errorf("answered %v", answers)
		}
	}
	if found := content(t, fence); found != `{"cluster":"cafe","number":7}` {
		t.Errorf("remembered %q", found)
	}
	if entry, err := os.Stat(fence); err != nil || entry.Mode() != 0o600 {
		t.Errorf("fence is %v, %v", entry, err)
	}
}

func TestANumberIsRememberedBeforeAnythingIsDone(t *testing.T) {
	fence := fenced(t)
	missing := line(t, report{"verb": "put", "path": "/no/such/folder/file", "mode": "0600", "content": []byte("x")})
	if _, code := wholeBatch(t, numbered("cafe", 3), missing, endLine); code != exitFailed {
		t.Fatalf("exit %d", code)
	}
	if found := content(t, fence); found != `{"cluster":"cafe","number":3}` {
		t.Errorf("remembered %q", found)
	}
}

func TestABatchThatOnlyReadsLeavesNoTrace(t *testing.T) {
	fence := fenced(t)
	reading := []string{`{"verb":"facts","paths":[]}`, `{"verb":"digest","paths":[],"key":"a2V5"}`, endLine}
	if _, code := wholeBatch(t, append([]string{numbered("cafe", 3)}, reading...)...); code != exitDone || exists(filepath.Dir(fence)) {
		t.Fatalf("exit %d", code)
	}
	wholeBatch(t, numbered("cafe", 9), `{"verb":"delete","path":"/nowhere/at/all"}`, endLine)
	if _, code := wholeBatch(t, append([]string{numbered("cafe", 8)}, reading...)...); code != exitFailed {
		t.Errorf("a lower number read: exit %d", code)
	}
	if _, code := wholeBatch(t, append([]string{numbered("cafe", 10)}, reading...)...); code != exitDone {
		t.Errorf("a higher number did not read: exit %d", code)
	}
	if found := content(t, fence); found != `{"cluster":"cafe","number":9}` {
		t.Errorf("remembered %q", found)
	}
}

func TestAnotherClusterCountsAnew(t *testing.T) {
	fence := fenced(t)
	delete := `{"verb":"delete","path":"/nowhere/at/all"}`
	wholeBatch(t, numbered("cafe", 9), delete, endLine)
	if _, code := wholeBatch(t, numbered("beef", 1), delete, endLine); code != exitDone {
		t.Fatalf("exit %d", code)
	}
	if found := content(t, fence); found != `{"cluster":"beef","number":1}` {
		t.Errorf("remembered %q", found)
	}
}

func TestAFenceThatSaysNothingLetsNobodyIn(t *testing.T) {
	for name, spoil := range map[string]func(fence string) error{
		"damaged": func(fence string) error { return os.WriteFile(fence, []byte("{"), 0o600) },
		"a link":  func(fence string) error { return os.Symlink("/nowhere", fence) },
	} {
		t.Run(name, func(t *testing.T) {
			fence := fenced(t)
			if err := os.MkdirAll(filepath.Dir(fence), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := spoil(fence); err != nil {
				t.Fatal(err)
			}
			answers, code := wholeBatch(t, numbered("cafe", 9), `{"verb":"delete","path":"/nowhere/at/all"}`, endLine)
			if code != exitFailed || len(answers) != 1 || answers[0]["ok"] != false {
				t.Fatalf("exit %d, answered %v", code, answers)
			}
		})
	}
}

func TestBatchesOfAMachineGoOneAtATimeAndNumbersOnlyRise(t *testing.T) {
	fence, path := fenced(t), filepath.Join(t.TempDir(), "file")
	var all sync.WaitGroup
	for number := 1; number <= 20; number++ {
		all.Add(1)
		go func() {
			defer all.Done()
			text := line(t, report{"verb": "put", "path": path, "mode": "0600", "content": []byte(fmt.Sprint(number))})
			wholeBatch(t, numbered("cafe", number), text, endLine)
		}()
	}
	all.Wait()
	if found := content(t, fence); found != `{"cluster":"cafe","number":20}` || content(t, path) != "20" {
		t.Errorf("remembered %q, wrote %q", found, content(t, path))
	}
}
