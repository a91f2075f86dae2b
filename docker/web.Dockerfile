# The web process, migrations and the bucket: the `platform` extra alone, so no torch.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY ethical_lens ethical_lens
COPY workers workers
COPY platform platform
RUN /opt/venv/bin/pip install --no-cache-dir -c constraints.txt ".[platform]"

FROM python:3.11-slim-bookworm
# Only /tmp can be written: the root file system is mounted read-only.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    DJANGO_SETTINGS_MODULE=config.settings \
    GRANIAN_HOST=0.0.0.0 \
    GRANIAN_PORT=8000 \
    GRANIAN_WORKERS=2
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin app
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY manage.py docker/healthy.py docker/create_bucket.py ./
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD ["python", "healthy.py", "web"]
CMD ["granian", "--interface", "asgi", "config.asgi:application"]
