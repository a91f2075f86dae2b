# Workers on the CPU, the dispatcher and beat.
FROM python:3.11-slim-bookworm AS build
# PyPI's torch brings gigabytes of CUDA; this index has the same versions without.
ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
WORKDIR /src
COPY constraints.txt ./
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --index-url "${TORCH_INDEX_URL}" \
    -c constraints.txt torch torchvision
COPY pyproject.toml README.md LICENSE ./
COPY ethical_lens ethical_lens
COPY workers workers
COPY platform platform
RUN /opt/venv/bin/pip install --no-cache-dir -c constraints.txt ".[platform,models,local-llm]"

FROM python:3.11-slim-bookworm
# Only /tmp and the hub's cache can be written: the root file system is mounted read-only.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    HF_HOME=/hub \
    OMP_NUM_THREADS=1 \
    DJANGO_SETTINGS_MODULE=config.settings
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
    && install --directory --owner=app --group=app /hub
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY manage.py docker/healthy.py ./
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=20s --start-period=5m --retries=3 \
    CMD ["python", "healthy.py", "worker"]
# One worker for every queue; compose.yaml gives each kind of work its own.
CMD ["celery", "-A", "config", "worker", "--pool", "solo", \
     "-Q", "scrutinise,generate,text,fetch,io,webhooks"]
