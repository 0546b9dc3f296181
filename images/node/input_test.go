package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

func TestAnInputThatRestsEndsTheBatch(t *testing.T) {
	in, sender := io.Pipe()
	defer sender.Close()
	go func() {
		io.WriteString(sender, beginLine+"\n{\"verb\":\"delete\"")
	}()
	var out, complaints bytes.Buffer
	code := runBatch(&bounded{in: in, rest: 50 * time.Millisecond, left: mostBytes}, &out, &complaints)
	if code != exitMalformed || out.Len() > 0 || !strings.Contains(complaints.String(), "nothing came for too long") {
		t.Fatalf("exit %d, %q, %q", code, &out, &complaints)
	}
}

func TestEachReadHasItsOwnTime(t *testing.T) {
	in, sender := io.Pipe()
	go func() {
		for _, piece := range strings.SplitAfter(beginLine+"\n"+endLine+"\n", `,`) {
			time.Sleep(40 * time.Millisecond)
			io.WriteString(sender, piece)
		}
	}()
	var out, complaints bytes.Buffer
	if code := runBatch(&bounded{in: in, rest: 150 * time.Millisecond, left: mostBytes}, &out, &complaints); code != exitDone {
		t.Fatalf("exit %d, %q", code, &complaints)
	}
}

func TestABatchHasALimit(t *testing.T) {
	endless := io.MultiReader(strings.NewReader(beginLine+"\n"), strings.NewReader(strings.Repeat("x", 2000)))
	var out, complaints bytes.Buffer
	code := runBatch(&bounded{in: endless, rest: mostRest, left: 1000}, &out, &complaints)
	if code != exitMalformed || out.Len() > 0 || !strings.Contains(complaints.String(), "larger than 32 MiB") {
		t.Fatalf("exit %d, %q, %q", code, &out, &complaints)
	}
}

func TestProgramTakesNoBatchBeyondTheLimit(t *testing.T) {
	command := program(t)
	command.Stdin = strings.NewReader(beginLine + strings.Repeat(" ", mostBytes) + "\n" + endLine + "\n")
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, _ := command.Output()
	if code := command.ProcessState.ExitCode(); code != exitMalformed || len(out) > 0 || !strings.Contains(complaints.String(), "larger than 32 MiB") {
		t.Fatalf("exit %d, %q, %q", code, out, &complaints)
	}
}

func TestABatchOfExactlyTheLimitIsTaken(t *testing.T) {
	text := beginLine + "\n" + endLine + "\n"
	var out, complaints bytes.Buffer
	if code := runBatch(&bounded{in: strings.NewReader(text), rest: mostRest, left: len(text)}, &out, &complaints); code != exitDone {
		t.Fatalf("exit %d, %q", code, &complaints)
	}
}
