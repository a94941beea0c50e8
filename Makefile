# The one entry point. Every knob is a variable with a default:
#   JOBS    parallel jobs (number of processors)      ARCH   x86_64 | arm64
#   KERNEL  path of an own kernel tree, of the base's version
#   ACCEL   tcg | kvm                                 CONFIG fragments: debug | plain | "debug builtin"
#   T       tests, "collection:test ..."              AT     <topic>/<nr>: the tree at a patch
#   PATCHED 1 | 0: 0 is the unpatched base            MEM, SMP, APPEND: memory, processors, kernel command line
#   TARBALLS directory with files of the bases        WALL   1 | 0: whether bench also takes the wall clock

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
vars := JOBS ARCH KERNEL ACCEL CONFIG T AT PATCHED MEM SMP APPEND TARBALLS TIMEOUT SILENCE TOPIC COVER FORCE WALL
export $(vars)
unexport $(foreach v,$(vars),$(if $($v),,$v))

# A knob that is misspelt would otherwise be ignored.
known := $(vars) MAKEFLAGS MAKEOVERRIDES CI
name = $(firstword $(subst =, ,$(subst :=,=,$1)))
$(foreach o,$(subst \ ,_,$(MAKEOVERRIDES)),$(if $(filter $(call name,$o),$(known)),,\
	$(error no variable '$(call name,$o)'; there are: $(vars))))

.PHONY: bench cover demo check kselftest kunit boot tree export lint help clean root
demo: ## from nothing to a booted VM that shows what there is
	@scripts/demo
check: ## all that CI runs; ends with "N passed, N failed, N skipped"
	@scripts/check
kselftest: ## the guest run; T= picks tests, ARCH=arm64, PATCHED=0, AT=<topic>/<nr>
	@scripts/run kselftest
kunit: ## the KUnit suites, in the guest
	@scripts/run kunit
boot: ## an interactive shell in the guest
	@scripts/run shell
bench: ## base against patched kernel: instructions, time, plots; ARCH=arm64, WALL=0
	@scripts/bench
tree: ## make build/linux and build/qemu from series/: that is where you edit
	@scripts/tree
export: ## write series/ from build/linux and build/qemu
	@scripts/export
cover: ## edit the cover letter of TOPIC= in its tree
	@scripts/cover "$(TOPIC)" $(COVER)
lint: ## checkpatch, sparse, W=1, shellcheck, and that patches apply
	@scripts/lint
root: ## the build root only
	@scripts/root
help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@sed -n 's/^#   /    /p' Makefile
clean: ## remove build/, unless a tree holds work that was not exported
	@scripts/clean

%:
	@echo "error: no target '$@'; see 'make help'" >&2; exit 2
