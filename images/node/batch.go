package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
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
	"begin":   func() operation { return &begin{} },
	"clean":   func() operation { return &clean{} },
	"delete":  func() operation { return &deletion{} },
	"digest":  func() operation { return &digest{} },
	"facts":   func() operation { return &facts{} },
	"folder":  func() operation { return &folder{} },
	"load":    func() operation { return &load{} },
	"put":     func() operation { return &put{} },
	"unmount": func() operation { return &unmount{} },
}

const (
	firstVerb = "begin"
	lastVerb  = "end"
)

// errCut tells that the stream ended before the batch did.
var errCut = errors.New("input ended before the verb \"end\": nothing was done")

// runBatch reads a whole batch, performs it in order and answers one JSON line an operation.
func runBatch(in io.Reader, out, complaints io.Writer) int {
	head, operations, err := readBatch(in)
	if err != nil {
		fmt.Fprintf(complaints, "rkx-node: %v\n", err)
		return exitMalformed
	}
	answers := json.NewEncoder(out)
	held, err := head.admit(slices.ContainsFunc(operations, writes))
	if answers.Encode(admission(head, err)) != nil || err != nil {
		return exitFailed
	}
	defer held.Close() // also where it is nil
	return performAll(operations, answers)
}

func performAll(operations []operation, answers *json.Encoder) int {
	allWell := true
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

// admission answers the first line: which batch is done, so that who hears another's answers knows.
func admission(head *begin, err error) report {
	answer := answerOf(report{"verb": firstVerb, "batch": head.Batch}, err)
	var later *overtaken
	if errors.As(err, &later) {
		answer["seen"] = later.seen
	}
	return answer
}

// writes tells whether an operation may change the machine.
func writes(done operation) bool {
	switch done.(type) {
	case *facts, *digest:
		return false
	}
	return true
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

// readBatch decodes every line up to "end"; one bad line refuses the whole batch, and so does a second "begin".
func readBatch(in io.Reader) (*begin, []operation, error) {
	var operations []operation
	var head *begin
	lines := bufio.NewReader(in)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF { // a line without its line feed may be half a line
			return nil, nil, errCut
		}
		if err != nil {
			return nil, nil, err
		}
		operation, last, err := decode(line, head == nil)
		if err != nil {
			return nil, nil, fmt.Errorf("line %d: %w", number, err)
		}
		if last {
			return head, operations, nil
		}
		if first, isFirst := operation.(*begin); isFirst {
			head = first
		} else {
			operations = append(operations, operation)
		}
	}
}

func decode(line []byte, first bool) (operation, bool, error) {
	var head struct {
		Verb string `json:"verb"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, false, err
	}
	if first != (head.Verb == firstVerb) {
		return nil, false, fmt.Errorf("verb %q: a batch has %q at its top and nowhere else; two clients may be writing", head.Verb, firstVerb)
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
