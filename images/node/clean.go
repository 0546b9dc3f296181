package main

import (
	"errors"
	"fmt"
	"net/netip"
)

// clean takes from the machine what plugins said that their parts leave there.
type clean struct {
	Verb     string         `json:"verb"`
	Links    []string       `json:"links"`
	Routes   []netip.Prefix `json:"routes"`
	Chains   []string       `json:"chains"`
	Comments []string       `json:"comments"`
	Paths    []string       `json:"paths"`
	Contents []string       `json:"contents"`
	Folders  []folder       `json:"folders"`
}

func (c *clean) check() error {
	for _, prefix := range append(append([]string{}, c.Chains...), c.Comments...) {
		if len(prefix) < 3 {
			return fmt.Errorf("chain or comment prefix %q is shorter than 3 letters: it could match what is not ours", prefix)
		}
	}
	for _, whole := range c.Routes {
		if whole.Bits() == 0 {
			return errors.New("route range /0 would take every route")
		}
	}
	for _, path := range append(append([]string{}, c.Paths...), c.Contents...) {
		if err := checkPath(path); err != nil {
			return err
		}
	}
	for _, former := range c.Folders {
		if err := former.check(); err != nil {
			return err
		}
	}
	return nil
}

// perform goes on after a failure: each kind of remains is independent of the others.
func (c *clean) perform() (report, error) {
	answer := report{}
	network := onMachine([]string{"net"}, func() error { return c.cleanNetwork(answer) })
	files := onMachine([]string{"mnt"}, func() error { return c.cleanFiles(answer) })
	return answer, errors.Join(network, files)
}

func (c *clean) cleanNetwork(answer report) error {
	rules, links, routes := []string{}, []string{}, []string{}
	var ruleProblem error
	if len(c.Chains)+len(c.Comments) > 0 {
		rules, ruleProblem = deleteRules(ownership{chains: c.Chains, comments: c.Comments})
	}
	links, linkProblem := deleteLinks(c.Links)
	routes, routeProblem := deleteRoutes(c.Routes)
	answer["rules"], answer["links"], answer["routes"] = rules, links, routes
	return errors.Join(ruleProblem, linkProblem, routeProblem)
}

func (c *clean) cleanFiles(answer report) error {
	gone := []string{}
	var problems []error
	for _, path := range c.Paths {
		removed, err := remove(path)
		if removed {
			gone = append(gone, path)
		}
		problems = append(problems, err)
	}
	for _, path := range c.Contents {
		_, err := emptyFolder(path)
		problems = append(problems, err)
	}
	for _, former := range c.Folders {
		_, err := former.perform()
		problems = append(problems, err)
	}
	answer["paths"] = gone
	return errors.Join(problems...)
}
