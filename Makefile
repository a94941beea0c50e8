# The one entry point. Every knob is a variable with a default:
#   JOBS    parallel jobs (number of processors)      BASE   linux-7.3 | linux-7.1
#   ARCH    x86_64 | arm64                            ACCEL  auto: kvm if it is of use here, or tcg | kvm | tcg | icount | probe: auto, looks again
#   KERNEL  path of your own kernel tree, 7.1 or newer; SERIES="topic ..." or none: what to apply to a copy of it; -topic: not that one
#   CONFIG  fragments: debug | plain | kcsan | "debug builtin", or paths   MEM, SMP, APPEND: memory, processors, kernel command line
#   T       tests, "collection[:test[#case]] ...", a case also as fixture.variant.case; KUnit suites
#   V       1: show all that tests say
#   AT      <topic>/<nr>: the tree at a patch         PATCHED  1 | 0: 0 is the unpatched base
#   GDB     1, or a port: the guest waits for gdb     QEMU_ARGS  more arguments for QEMU
#   SHARE   a folder of which the guest gets a copy in /share
#   TIMEOUT, SILENCE  seconds for a guest's run, and without a word from it
#   TARBALLS  directory with files of the bases       GIT    a clone that has their tags
#   TOPIC, FROM, TO   for port, range-diff, cover, coverage   COVER  file with the cover letter
#   NAMES   write: the list of tests that a run must have   FORCE  1: export over a series/ that changed
#   SEND    1: send mails them    V, CHANGELOG  send: 2 and more, and a file that says what changed
#   TO, CC  send: more addresses                      SECURITY  yes: send mails a security fix to lists
#   WALL    1 | 0: whether bench also takes the wall clock  GUESTENV  variables for the job in the guest

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
vars := JOBS BASE ARCH KERNEL SERIES ACCEL CONFIG T V AT PATCHED MEM SMP APPEND TARBALLS GIT TIMEOUT SILENCE TOPIC FROM TO \
	GDB QEMU_ARGS SHARE COVER NAMES FORCE WALL GUESTENV CC VERSION CHANGELOG SEND SECURITY
export $(vars)
unexport $(foreach v,$(vars),$(if $($v),,$v))

# make has a CC of its own, and so may the environment.
ifneq ($(origin CC),command line)
unexport CC
endif

# A knob that is misspelt would otherwise be ignored.
known := $(vars) MAKEFLAGS MAKEOVERRIDES CI
name = $(firstword $(subst =, ,$(subst :=,=,$1)))
$(foreach o,$(subst \ ,_,$(MAKEOVERRIDES)),$(if $(filter $(call name,$o),$(known)),,\
	$(error no variable '$(call name,$o)'; there are: $(vars))))

# So would one that is to name a tree, and is empty: a variable of the shell that is not set.
ifeq ($(origin KERNEL)$(KERNEL),command line)
$(error KERNEL is empty: it must be the path of a kernel tree)
endif

.PHONY: send bench cover coverage demo check check-all mutants port range-diff kselftest kunit boot tree export lint help clean root
demo: ## from nothing to a booted VM that shows what there is
	@scripts/demo
check: ## all that CI runs; ends with "N passed, N failed, N skipped"
	@scripts/check
check-all: ## that and all the rest: every mutant, every patch of every base
	@scripts/check all
mutants: ## each promise of the series broken on purpose: is it noticed?
	@tests/mutants.sh
kselftest: ## the guest run; T= picks tests, BASE=, ARCH=arm64, PATCHED=0, AT=<topic>/<nr>, KERNEL=
	@scripts/run kselftest
kunit: ## the KUnit suites, in the guest; T= picks some
	@scripts/run kunit
boot: ## an interactive shell in the guest
	@scripts/run shell
bench: ## base against patched kernel: instructions, time, plots; ARCH=arm64, WALL=0
	@scripts/bench
tree: ## make build/<base> from series/, of BASE and of QEMU: that is where you edit
	@scripts/tree
export: ## write series/ from the trees
	@scripts/export
cover: ## edit the cover letter of TOPIC= in its tree
	@scripts/cover "$(TOPIC)" $(COVER)
port: ## carry TOPIC= over: FROM=linux-7.1 TO=linux-7.3; KERNEL=: only say what would conflict there
	@scripts/port port "$(TOPIC)" "$(FROM)" "$(TO)"
range-diff: ## how TOPIC= differs between two bases
	@scripts/port range-diff "$(TOPIC)" "$(FROM)" "$(TO)"
send: ## mail TOPIC=, dry run unless SEND=1; see Documentation/send.md
	@scripts/send
coverage: ## lines of the topics that no test runs; TOPIC=, T=; see Documentation/coverage.md
	@scripts/coverage
lint: ## checkpatch, sparse, W=1, shellcheck, and that patches apply
	@scripts/lint
root: ## the build root only
	@scripts/root
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@sed -n 's/^#   /    /p' Makefile
clean: ## remove build/, unless a tree holds work that was not exported
	@scripts/clean

%:
	@echo "error: no target '$@'; see 'make help'" >&2; exit 2
