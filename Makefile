# make study   set up, run the whole study, print where the report is
# make test    set up, run the tests (what .ci/run calls)
# make help    the rest

SHELL := /bin/bash
VENV := .venv
PYTHON ?= python3
CORES ?= all
WORKERS ?= $(shell n=$$(nproc); echo $$((n > 4 ? 4 : n)))
READY := $(VENV)/.ready
ENGINE ?= podman
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# SIZE=paper runs the whole paper, SIZE=200 any number of enrolled patients; DESIGN=international_2025 another study.
ifneq ($(SIZE)$(DESIGN),)
OVERRIDE := --config$(if $(DESIGN), 'design=$(DESIGN)')$(if $(SIZE), 'cohort={"size": "$(SIZE)"}')
endif

comma := ,
empty :=
space := $(empty) $(empty)
# One entry of a mapping on the command line, or nothing.
entry = $(if $(2),"$(1)": "$(2)")

# Progress bars, a rule and its hospitals a line, where somebody looks at a terminal.
PROGRESS = $(shell test -t 2 && echo --logger rich)

.PHONY: study test fuzz stage validate pull receive compare-paper coverage-simulations mutants simulation-shortcuts learnability test-cluster test-crash test-determinism no-op lint lock format help environment check-data screens clinical-template clean
.PHONY: plan publish pictures read simulated-readers
.PHONY: serve soak elastogram-benchmark doctor container test-container test-fresh docs
.PHONY: negative-control learning-curve repeated-splits cross-validation hospitals-left-out fusion choices radiomics other-comparators subanalyses

study: $(READY) ## run the study (SIZE=demo, paper or a number; DESIGN=name or file; CORES=2)
	snakemake --cores $(CORES) $(OVERRIDE) $(PROGRESS)

test: $(READY) ## run the tests, a worker per processor (WORKERS=1)
	pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

stage: $(READY) ## stage new patients (INBOX=folder of DICOM files; MODEL=results/serving of a study)
	@test -f "$(or $(MODEL),results/serving)/frozen_study.json" -o -f "$(MODEL)" || { echo 'There is no finished study in $(or $(MODEL),results/serving): run make study first, or name one, or a published archive, by MODEL=.'; exit 2; }
	snakemake --cores $(CORES) $(PROGRESS) --config 'staging={$(call entry,inbox,$(INBOX))$(if $(INBOX),$(if $(MODEL),$(comma) ))$(call entry,model,$(MODEL))}' -- results/staging/index.html
	@echo "Staged patients: results/staging/index.html; for the PACS: .dlre/outbox"

validate: $(READY) ## frozen networks in other cohorts (FOLDER="cohort ..."; MODEL=results/serving of a study; DESIGN=its design)
	@test -n "$(FOLDER)" || { echo 'Say which cohorts: make validate FOLDER="path ..." [MODEL=path]'; exit 2; }
	@test $(words $(FOLDER)) = $(words $(sort $(notdir $(FOLDER:/=)))) || { echo 'Two folders have the same last name, which names the cohort: rename one.'; exit 2; }
	@test -f "$(or $(MODEL),results/serving)/frozen_study.json" -o -f "$(MODEL)" || { echo 'There is no finished study in $(or $(MODEL),results/serving): run make study first, or name one, or a published archive, by MODEL=.'; exit 2; }
	snakemake --cores $(CORES) $(PROGRESS) --config $(if $(DESIGN),'design=$(DESIGN)' )'validation={"cohorts": {$(subst $(space),$(comma),$(foreach f,$(FOLDER),"$(notdir $(f:/=))":"$(f)"))}$(if $(MODEL),$(comma) $(call entry,model,$(MODEL)))}' -- results/validation/report.html
	@echo "External validation: results/validation/report.html"

pull: $(READY) ## fetch new pictures from a PACS (FOLDER=cohort URL=https://..., or as config.yaml says)
	snakemake --cores $(CORES) $(PROGRESS) --forcerun pull_hospital --config 'cohort={"source": "dicomweb"$(if $(FOLDER),$(comma) $(call entry,folder,$(FOLDER)))$(if $(URL),$(comma) "dicomweb": {$(call entry,url,$(URL))})}' -- results/pacs/failures.csv
	@cat results/pacs/counts.csv results/pacs/failures.csv

receive: $(READY) ## receive pictures by C-STORE on loopback (FOLDER=cohort HOSPITAL=code PORT=11112)
	@test -n "$(FOLDER)" -a -n "$(HOSPITAL)" || { echo 'Say where to: make receive FOLDER=path HOSPITAL=code [PORT=11112]'; exit 2; }
	@python -m dlre_core.pacs.storage "$(FOLDER)" "$(HOSPITAL)" $(if $(PORT),--port $(PORT))

serve: $(READY) ## keep a finished study's server up, loopback only (MODEL=results/serving, PORT=8001, METRICS_PORT=8002)
	@python -m dlre_core.serving --model $(or $(MODEL),results/serving) --port $(or $(PORT),8001) --metrics-port $(or $(METRICS_PORT),8002)

soak: $(READY) ## ten minutes of valid and invalid requests from 16 clients (MODEL=results/serving)
	PYTHONPATH=. python benchmarks/soak.py --model $(or $(MODEL),results/serving)

negative-control learning-curve repeated-splits cross-validation hospitals-left-out fusion choices radiomics other-comparators subanalyses: $(READY) ## optional analysis, a table (docs/guide/optional_analyses.md)
	snakemake --cores $(CORES) $(OVERRIDE) $(PROGRESS) -- results/tables/$(subst -,_,$@).html
	@echo "Table: results/tables/$(subst -,_,$@).html"

publish: $(READY) ## networks, cut-offs, examples and a model card in one archive (section publication of config.yaml)
	snakemake --cores $(CORES) $(PROGRESS) -- results/publication/model.zip
	@echo "Archive: results/publication/model.zip"

plan: $(READY) ## how many patients a study needs, before there are any (section plan of config.yaml)
	snakemake --cores $(CORES) $(OVERRIDE) -- results/plan/index.html
	@echo "Plan: results/plan/index.html"

PUBLICATION = $(if $(filter international_2025,$(DESIGN)),publication_2025,paper)
compare-paper: $(READY) ## what was published beside the study's own (DESIGN=international_2025)
	snakemake --cores $(CORES) $(OVERRIDE) -- results/comparison/$(PUBLICATION).html
	@echo "Comparison: results/comparison/$(PUBLICATION).html"

coverage-simulations: $(READY) ## do 95 % intervals cover 95 %, do tests reject 5 %? (minutes)
	PYTHONPATH=. python benchmarks/interval_coverage.py

mutants: $(READY) ## how many small changes of the code do its tests notice? (an hour; MUTANTS=20 for a look)
	PYTHONPATH=. python benchmarks/mutants.py $(or $(MUTANTS),200)

simulation-shortcuts: $(READY) ## does anything but texture tell the simulated stage? (3 minutes)
	PYTHONPATH=. python benchmarks/simulation_shortcuts.py

fuzz: $(READY) ## damaged files into ingestion, MUTATIONS=100000 of them (about ten minutes)
	DLRE_FUZZ_MUTATIONS=$(or $(MUTATIONS),100000) pytest tests/core/ingestion/test_fuzz_ingestion.py

# Peers would move the project's pins: an environment of their own.
PEERS := .scratch/peers
$(PEERS)/.ready: envs/requirements.lock benchmarks/peers.txt
	$(PYTHON) envs/bootstrap.py $(PEERS) benchmarks/peers.txt
	touch $@

elastogram-benchmark: $(PEERS)/.ready ## elastograms against truth, augmentation against five libraries: one page of tables, .scratch/elastogram.md (minutes; SCREENS=500)
	PYTHONPATH=. $(PEERS)/bin/python benchmarks/elastogram_accuracy.py --screens $(or $(SCREENS),500) --without $(or $(WITHOUT),10000) > .scratch/elastogram.md
	PYTHONPATH=. $(PEERS)/bin/python benchmarks/augmentation.py >> .scratch/elastogram.md
	@cat .scratch/elastogram.md

learnability: $(READY) ## the paper's size, three seeds: what the networks learn (40 minutes)
	PYTHONPATH=. python benchmarks/learnability.py .scratch/learnability

test-cluster: $(READY) ## run the tiny study through SLURM on this machine (root; slurm-wlm, munge)
	tests/cluster/run.sh

test-crash: $(READY) ## kill the tiny study 20 times at random moments: same bytes in the end
	DLRE_KILLS=20 pytest -s tests/workflow/test_crash.py

test-determinism: $(READY) ## two tiny studies, 1 and 3 cores, two folders: same bytes
	DLRE_DETERMINISM=1 pytest -s tests/workflow/test_determinism.py

no-op: $(READY) ## how long snakemake -n takes on 12 hospitals x 40,000 patients
	PYTHONPATH=. python benchmarks/no_op.py

lint: $(READY) ## check style, layering, spelling, links of the documentation and the workflow's form
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	snakemake --lint
	lint-imports
	codespell
	NO_MKDOCS_2_WARNING=1 mkdocs build --quiet

lock: ## resolve the pins anew (needs uv; UPGRADE="--upgrade-package NAME")
	$(PYTHON) envs/lock.py $(UPGRADE)

doctor: $(READY) ## what this machine lacks for a study, and which optional programs are absent
	@python -m dlre_core.preflight.machine

container: ## build the image dlre:VERSION (ENGINE=podman, docker or buildah; BASE=image to build on)
	$(ENGINE) build --file envs/Containerfile --tag dlre:$(VERSION) $(if $(BASE),--build-arg BASE=$(BASE)) .

test-container: ## build the image on a base made here and run the tiny study in it (root; podman, buildah, runc, mmdebstrap)
	tests/container/run.sh $(BASE)

test-fresh: ## both commands on fresh trees of Debian 12 and 13 (root, mmdebstrap; an hour)
	tests/fresh/run.sh

docs: $(READY) ## build the documentation, .scratch/site/index.html
	NO_MKDOCS_2_WARNING=1 mkdocs build --quiet
	@echo "Documentation: .scratch/site/index.html"

format: $(READY) ## put Python and Snakemake files into form
	ruff check --fix .
	ruff format .
	snakefmt Snakefile rules

environment: $(READY) ## only make the virtual environment

check-data: $(READY) ## check your cohort folder (FOLDER=path, ALL=1 for every problem) without running the study
	@test -n "$(FOLDER)" || { echo 'Say which folder: make check-data FOLDER=path'; exit 2; }
	@python -m dlre_core.preflight.folder_check "$(FOLDER)" $(if $(ALL),--all) $(if $(DESIGN),--design "$(DESIGN)")

screens: $(READY) ## kinds of screens in a folder of pictures, what was found on them, proposed profiles (FOLDER=path, PICTURES=number)
	@test -n "$(FOLDER)" || { echo 'Say which folder: make screens FOLDER=path'; exit 2; }
	@python -m dlre_core.preflight.screens_page "$(FOLDER)" $(if $(PICTURES),--pictures $(PICTURES))

pictures: $(READY) ## only read the hospitals' files into the store, for make read before a study
	snakemake --cores $(CORES) $(OVERRIDE) $(PROGRESS) --until ingest_hospital

READ = python -m dlre_core.reading $(if $(CONSENSUS),--consensus,"$(READER)") $(if $(HOSPITAL),--hospital "$(HOSPITAL)") $(if $(FOLDER),--folder "$(FOLDER)") $(if $(PORT),--port $(PORT))
read: $(READY) ## accept or exclude the pictures in the browser (READER=name; HOSPITAL=code; CONSENSUS=1 for what two readers dispute; IDENTIFIED=1 HOSPITAL=code for pictures that were not located)
	@test -n "$(READER)$(CONSENSUS)$(IDENTIFIED)" || { echo 'Say who reads: make read READER=name [HOSPITAL=code], or make read CONSENSUS=1'; exit 2; }
	@$(if $(IDENTIFIED),python -m dlre_core.identified_reading "$(HOSPITAL)" $(if $(FOLDER),--folder "$(FOLDER)") $(if $(PORT),--port $(PORT)),$(READ))

simulated-readers: $(READY) ## two simulated readers of the simulated cohort, for a demo of make read
	@python -m dlre_core.reading.simulated_readers

clinical-template: $(READY) ## print an empty clinical.csv
	@python -c "from dlre_core.user_tables.data_contract import template; print(template(), end='')"

clean: ## remove all results (not the pseudonym key)
	rm -rf results .snakemake

help: ## this list
	@awk -F ':.*## ' '/^[a-z -]+:.*## / {n = split($$1, names, " "); for (i = 1; i <= n; i++) printf "%-23s %s\n", names[i], $$2}' $(MAKEFILE_LIST)

$(READY): envs/requirements.lock envs/triton.lock
	@$(PYTHON) envs/bootstrap.py $(VENV)
	@touch $@
