# One image for Fargate and local use; what it does is EXECUTION_MODE's to say, or the command's.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
WORKDIR /build
COPY requirements/ requirements/
# Everything comes from the lock, the build backend too; it stays behind in this stage.
RUN python -m venv /opt/logfanout \
    && /opt/logfanout/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.txt \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md ./
COPY src/ src/
RUN /opt/build/bin/pip wheel --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/logfanout/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps dist/*.whl \
    && /opt/logfanout/bin/python -m pip uninstall --yes pip

FROM python:${PYTHON}-slim-bookworm
COPY --from=build /opt/logfanout /opt/logfanout
ENV PATH=/opt/logfanout/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# No name, a number: Kubernetes' runAsNonRoot can only check a number.
USER 65532:65532
EXPOSE 9090
# Python as PID 1 handles SIGTERM itself, so nothing stands between it and ECS.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('LOGFANOUT_HTTP_PORT', '9090') + '/healthz', timeout=2)"]
ENTRYPOINT ["logfanout"]
