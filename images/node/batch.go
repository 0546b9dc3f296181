package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// report is what one operation answers; it never holds a file's content.
type report map[string]any

// operation is one decoded line of a batch.
type operation interface {
	// check finds what is wrong with the line itself, before anything of the batch is done.
	check() error
	// perform does the work and is safe to repeat.
	perform() (report, error)
}

// verbs is the closed list of what a batch may ask for.
var verbs = map[string]func() operation{
	"clean":   func() operation { return &clean{} },
	"delete":  func() operation { return &deletion{} },
	"digest":  func() operation { return &digest{} },
	"facts":   func() operation { return &facts{} },
	"folder":  func() operation { return &folder{} },
	"load":    func() operation { return &load{} },
	"put":     func() operation { return &put{} },
	"unmount": func() operation { return &unmount{} },
}

const lastVerb = "end"

// errCut tells that the stream ended before the batch did.
var errCut = errors.New("input ended before the verb \"end\": nothing was done")

// runBatch reads a whole batch, performs it in order and answers one JSON line an operation.
func runBatch(in io.Reader, out, complaints io.Writer) int {
	operations, err := readBatch(in)
	if err != nil {
		fmt.Fprintf(complaints, "rkx-node: %v\n", err)
		return exitMalformed
	}
	allWell := true
	answers := json.NewEncoder(out)
	for _, operation := range operations {
		answer := answerOf(operation.perform())
		allWell = allWell && answer["ok"] == true
		if answers.Encode(answer) != nil {
			return exitFailed // nobody reads any more: stop rather than work unseen
		}
	}
	if answers.Encode(report{"verb": lastVerb, "ok": allWell}) != nil || !allWell {
		return exitFailed
	}
	return exitDone
}

func answerOf(answer report, err error) report {
	if answer == nil {
		answer = report{}
	}
	answer["ok"] = err == nil
	if err != nil {
		answer["error"] = describe(err)
		if path := pathOf(err); path != "" {
			answer["path"] = path
		}
	}
	return answer
}

// readBatch decodes every line up to "end"; one bad line refuses the whole batch.
func readBatch(in io.Reader) ([]operation, error) {
	var operations []operation
	lines := bufio.NewReader(in)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF { // a line without its line feed may be half a line
			return nil, errCut
		}
		if err != nil {
			return nil, err
		}
		operation, last, err := decode(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if last {
			return operations, nil
		}
		operations = append(operations, operation)
	}
}

func decode(line []byte) (operation, bool, error) {
	var head struct {
		Verb string `json:"verb"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, false, err
	}
	if head.Verb == lastVerb {
		return nil, true, nil
	}
	make, known := verbs[head.Verb]
	if !known {
		return nil, false, fmt.Errorf("unknown verb %q", head.Verb)
	}
	made := make()
	strict := json.NewDecoder(bytes.NewReader(line))
	strict.DisallowUnknownFields()
	if err := strict.Decode(made); err != nil {
		return nil, false, fmt.Errorf("verb %q: %w", head.Verb, err)
	}
	if err := made.check(); err != nil {
		return nil, false, fmt.Errorf("verb %q: %w", head.Verb, err)
	}
	return made, false, nil
}
