# `make demo` and `make test` need nothing but Python 3.11 and make. `make help` lists the rest.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export HF_HUB_OFFLINE ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-load test-llm check format mini-models evaluate benchmark lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

demo: .venv/.demo ## start everything on this machine and send five prompts through it (ARGS=--once: end by itself)
	@$(BIN)/python -m devstack.demo $(ARGS)

test: .venv/.dev ## every test but load tests, on throw-away PostgreSQL, Redis and S3
	@$(BIN)/python -m pytest $(ARGS)

test-fast: .venv/.dev ## unit tests alone, without services and models: under a minute
	@$(BIN)/python -m pytest -m "not services and not models and not load" $(ARGS)

test-load: .venv/.dev ## the load tests
	@$(BIN)/python -m pytest -m load $(ARGS)

test-llm: .venv/.dev ## both language-model aligners with a real, very small model (an hour and more)
	@$(BIN)/python -m benchmarks.small_llm $(ARGS)

check: .venv/.dev ## lint, format, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@SECRET_KEY=$$(printf 'x%.0s' $$(seq 40)) DATABASE_URL=postgresql://nobody@localhost/none \
	REDIS_URL=redis://localhost S3_ENDPOINT_URL=http://localhost S3_BUCKET=none \
	S3_ACCESS_KEY_ID=none S3_SECRET_ACCESS_KEY=none MODELS=mini \
	$(BIN)/mypy ethical_lens workers platform devstack docker benchmarks
	@$(BIN)/lint-imports

format: .venv/.dev ## put the code into shape
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

mini-models: .venv/.dev ## train the miniature models under .local/mini, install each that reaches its bars (hours; ARGS="clip heads": only these)
	@$(BIN)/python -m ethical_lens.mini build $(ARGS)

evaluate: .venv/.dev ## measure alignment in the miniature world, report in .local/evaluation (over an hour; goes on where it was)
	@$(BIN)/python -m ethical_lens.evaluation run --suite mini --out .local/evaluation $(ARGS)

benchmark: .venv/.dev ## measure the overhead of durability (see benchmarks/)
	@$(BIN)/python -m benchmarks.overhead $(ARGS)

lock: .venv/.dev ## write the installed versions to constraints.txt
	@$(BIN)/python -m pip freeze --exclude-editable --disable-pip-version-check > constraints.txt

clean: ## remove .venv and .local
	rm -rf .venv .local

.venv/.demo: pyproject.toml constraints.txt
	@$(PYTHON) devstack/install.py demo

.venv/.dev: pyproject.toml constraints.txt
	@$(PYTHON) devstack/install.py dev
