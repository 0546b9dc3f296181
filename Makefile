# rkx's tasks. Each can be repeated at any time, after an interruption too, and is quick when nothing is to be done.
.PHONY: help setup setup-test venv node images images-test check check-python check-whole check-go check-oldest test test-long demo demo-down cis bench bench-scale lab lab-down clean
.DEFAULT_GOAL := help

export RKX_CACHE ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/rkx
export PATH := $(PATH):/usr/sbin:/sbin:$(RKX_CACHE)/go/bin
BIN := .venv/bin
BUILD := PYTHONPATH=images $(BIN)/python -m rkx_images build
LAB := lab/rkx-lab
NODES ?= 3
DEMO := .demo

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:
	@sh lab/setup.sh

venv: setup $(BIN)/.rkx-installed ## make .venv with rkx and all that its checks need

$(BIN)/.rkx-installed: pyproject.toml
	test -x $(BIN)/python || python3 -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

node: venv ## build rkx-node, which the wheel carries
	$(BUILD) node

images: venv ## build rkx-node and all container images into the cache
	$(BUILD)

images-test: images
	$(BUILD) kubernetes+shifted-clock

check: check-python check-go ## format, lint, types, import rules, and all quick tests that need no machine

setup-test:
	@sh lab/setup.sh test

# Bytecode is kept beside the sources even where the environment forbids it: each worker would compile every test anew.
check-python check-whole check-oldest: export PYTHONDONTWRITEBYTECODE :=

check-python: setup-test node
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not lab and not whole" -n 2

check-whole: setup-test node ## all other tests that need no machine
	$(BIN)/pytest -m "whole and not lab" -n 2

check-go: setup
	cd images/node && go vet ./... && go test ./...

OLDEST := $(RKX_CACHE)/oldest/paramiko-$(shell sed -n 's/.*"paramiko>=\([0-9.]*\)[,"].*/\1/p' pyproject.toml)

$(OLDEST): | venv
	rm -rf $@.part
	$(BIN)/pip install --quiet --disable-pip-version-check --target $@.part paramiko==$(patsubst paramiko-%,%,$(notdir $@))
	mv $@.part $@

check-oldest: setup-test $(OLDEST) ## the SSH transport's tests with the oldest paramiko that pyproject.toml allows
	PYTHONPATH=$(OLDEST) $(BIN)/python -c 'import paramiko; assert paramiko.__file__.startswith("$(OLDEST)")'
	PYTHONPATH=$(OLDEST) $(BIN)/pytest -n 2 tests/plugins/transport_ssh

test: check check-whole check-oldest images-test ## check, then every demonstration on machines of the lab
	@$(call on_machines,lab and not long)

test-long: check check-whole check-oldest images-test ## the same with the full number of repetitions
	@$(call on_machines,lab)

# The lab's engine is stopped only when no lab is left: that of `make demo` may run.
define on_machines
	$(BIN)/pytest -m "$(1)" --all-demonstrations; result=$$?; $(LAB) engine-down --unused >/dev/null; exit $$result
endef

demo: images $(BIN)/kubectl ## bring up a cluster on three machines of the lab
	$(LAB) up --name demo --nodes 3
	@mkdir -p $(DEMO)
	$(LAB) cluster-yml --name demo >$(DEMO)/cluster.yml
	$(BIN)/rkx up --file $(DEMO)/cluster.yml
	$(BIN)/kubectl --kubeconfig $(DEMO)/kube_config_cluster.yml get nodes --output wide
	@echo "Look around:  $(BIN)/kubectl --kubeconfig $(DEMO)/kube_config_cluster.yml get pods --all-namespaces"
	@echo "Change it:    edit $(DEMO)/cluster.yml, then $(BIN)/rkx plan --file $(DEMO)/cluster.yml, and rkx up"
	@echo "On a machine: $(LAB) exec --name demo demo-2 -- docker ps"
	@echo "Take it down: make demo-down"

demo-down: venv ## remove the demonstration's machines and its cluster's files
	$(LAB) down --name demo
	rm -rf $(DEMO)
	@$(LAB) engine-down --unused >/dev/null

cis: images $(BIN)/kubectl ## judge a cluster of the lab by the CIS benchmark, with each profile
	$(BIN)/python -m rkx_cis --kubectl $(BIN)/kubectl
	@$(LAB) engine-down --unused >/dev/null

$(BIN)/kubectl: images/catalogue.toml | venv
	PYTHONPATH=lab $(BIN)/python -m rkx_lab.extract kubernetes usr/local/bin/kubectl $@

bench: images ## measure, against a script that does the least, or another revision: make bench AGAINST=v0.1.0
	$(BIN)/python bench/$(if $(AGAINST),against.py $(AGAINST),run.py)

bench-scale: venv ## measure simulated clusters and write docs/reference/scale.md: make bench-scale SIZES="10 100"
	$(BIN)/python bench/scale.py $(SIZES)

lab: images ## bring up machines: make lab NODES=3
	$(LAB) up --nodes $(NODES)

lab-down: venv ## remove the machines of `make lab`
	$(LAB) down
	@$(LAB) engine-down --unused >/dev/null

clean: ## remove what was made in the checkout; the cache of built images stays
	rm -rf .venv $(DEMO) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -f core/rkx/reconcile/bin/rkx-node-*
