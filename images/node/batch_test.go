package main

import (
	"bytes"
	"encoding/base64"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const endLine = `{"verb":"end"}`

func TestVerbsAreTheGoldenList(t *testing.T) {
	golden := []string{"begin", "clean", "delete", "digest", "facts", "folder", "load", "put", "unmount"}
	if found := slices.Sorted(maps.Keys(verbs)); !slices.Equal(found, golden) {
		t.Fatalf("verbs are %v; a new one needs a decision, the README and this list", found)
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range golden {
		if !strings.Contains(string(text), "| `"+verb+" ") {
			t.Errorf("README.md has no line for verb %q", verb)
		}
	}
}

func TestAMalformedBatchDoesNothing(t *testing.T) {
	for name, rest := range map[string]string{
		"cut before end":      "",
		"cut inside end":      `{"verb":"end"`,
		"end without a break": endLine,
		"unknown verb":        `{"verb":"exec"}` + "\n" + endLine + "\n",
		"unknown field":       `{"verb":"delete","path":"/a","force":true}` + "\n" + endLine + "\n",
		"not JSON":            "rm\n" + endLine + "\n",
		"relative path":       `{"verb":"delete","path":"a"}` + "\n" + endLine + "\n",
		"unclean path":        `{"verb":"delete","path":"/a/../etc"}` + "\n" + endLine + "\n",
		"the root":            `{"verb":"delete","path":"/"}` + "\n" + endLine + "\n",
		"number as mode":      `{"verb":"folder","path":"/a","mode":493}` + "\n" + endLine + "\n",
		"no content":          `{"verb":"put","path":"/a","mode":"0600"}` + "\n" + endLine + "\n",
		"wide chain prefix":   `{"verb":"clean","chains":["K"]}` + "\n" + endLine + "\n",
		"two clients":         beginLine + "\n" + endLine + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			first := line(t, report{"verb": "put", "path": path, "mode": "0600", "content": []byte("x")}) + "\n"
			var out, complaints bytes.Buffer
			code := runBatch(strings.NewReader(beginLine+"\n"+first+rest), &out, &complaints)
			if code != exitMalformed || out.Len() > 0 || complaints.Len() == 0 {
				t.Fatalf("exit %d, answered %q, complained %q", code, &out, &complaints)
			}
			if exists(path) {
				t.Fatal("the operation before the fault was performed")
			}
		})
	}
}

func TestABatchGoesOnAfterAFailureAndExitsWithIt(t *testing.T) {
	folder := t.TempDir()
	missing, good := filepath.Join(folder, "none", "file"), filepath.Join(folder, "file")
	answers, code := batch(t,
		line(t, report{"verb": "put", "path": missing, "mode": "0600", "content": []byte("x")}),
		line(t, report{"verb": "put", "path": good, "mode": "0600", "content": []byte("x")}), endLine)
	if code != exitFailed || len(answers) != 3 {
		t.Fatalf("exit %d, answers %v", code, answers)
	}
	if answers[0]["error"] != "ENOENT: no such file or directory" || answers[0]["path"] != filepath.Dir(missing) {
		t.Errorf("first answer is %v", answers[0])
	}
	if answers[1]["ok"] != true || answers[1]["changed"] != true {
		t.Errorf("second answer is %v", answers[1])
	}
	if answers[2]["verb"] != "end" || answers[2]["ok"] != false {
		t.Errorf("last answer is %v", answers[2])
	}
}

func TestNoContentIsEverAnswered(t *testing.T) {
	canary := "canary-of-a-private-key"
	encoded := base64.StdEncoding.EncodeToString([]byte(canary))
	folder := t.TempDir()
	for _, text := range []string{
		`{"verb":"put","path":"` + folder + `/none/x","mode":"0600","content":"` + encoded + `"}` + "\n" + endLine + "\n",
		`{"verb":"put","path":"` + folder + `/x","mode":"0600","content":"` + encoded + `"}` + "\n" + endLine + "\n",
		`{"verb":"put","path":"` + folder + `/x","mode":"0600","content":"` + canary + `"}` + "\n" + endLine + "\n",
		`{"verb":"put","path":"` + folder + `/x","mode":"0600","content":["` + encoded + `"]}` + "\n" + endLine + "\n",
		`{"verb":"put","content":"` + encoded + `"` + "\n",
		`{"verb":"digest","paths":["` + folder + `/x"],"key":"` + encoded + `"}` + "\n" + endLine + "\n",
	} {
		var out, complaints bytes.Buffer
		runBatch(strings.NewReader(beginLine+"\n"+text), &out, &complaints)
		for _, said := range []string{out.String(), complaints.String()} {
			if strings.Contains(said, canary) || strings.Contains(said, encoded) {
				t.Errorf("%q was said", said)
			}
		}
	}
}

func TestProgramAnswersABatch(t *testing.T) {
	command := program(t)
	command.Stdin = strings.NewReader(beginLine + "\n" + `{"verb":"delete","path":"/nowhere/at/all"}` + "\n" + endLine + "\n")
	out, err := command.Output()
	if want := `{"batch":"b","ok":true,"verb":"begin"}` + "\n" + `{"changed":false,"ok":true}` + "\n" + `{"ok":true,"verb":"end"}` + "\n"; err != nil || string(out) != want {
		t.Fatalf("answered %q, %v", out, err)
	}
}

func TestProgramRefusesAnUnknownCommand(t *testing.T) {
	command := program(t, "exec", "sh")
	if err := command.Run(); err == nil || command.ProcessState.ExitCode() != exitMalformed {
		t.Fatalf("exit %d", command.ProcessState.ExitCode())
	}
}
