# The GPU worker. torch's wheels carry CUDA's libraries, so that the base has to bring only what
# the driver needs; name one of the same CUDA version as the torch in constraints.txt.
ARG CUDA_IMAGE=nvidia/cuda:13.0.2-base-ubuntu24.04

# A Python that runs on any base: CUDA images bring another version of it, or none.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    UV_PYTHON_INSTALL_DIR=/opt/python
RUN pip install --no-cache-dir uv==0.13.9 \
    && uv venv --no-cache --managed-python --python 3.11 --seed /opt/venv
WORKDIR /src
COPY constraints.txt ./
RUN /opt/venv/bin/pip install --no-cache-dir -c constraints.txt torch torchvision
COPY pyproject.toml README.md LICENSE ./
COPY ethical_lens ethical_lens
COPY workers workers
COPY platform platform
RUN /opt/venv/bin/pip install --no-cache-dir -c constraints.txt ".[platform,models,local-llm]"

FROM ${CUDA_IMAGE}
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
COPY --from=build /opt/python /opt/python
COPY --from=build /opt/venv /opt/venv
COPY manage.py docker/healthy.py ./
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=20s --start-period=15m --retries=3 \
    CMD ["python", "healthy.py", "worker"]
# What is painted is scrutinised before more is painted.
CMD ["celery", "-A", "config", "worker", "--pool", "solo", "-Q", "scrutinise,generate"]
