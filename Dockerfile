# One image for Fargate, Lambda and local use, on amd64 and arm64; what it does is EXECUTION_MODE's to say, or the command's.
ARG PYTHON=3.13

# ── Everything that is installed comes from a lock with hashes, as wheels: no stage has a compiler ──────────────────────
FROM python:${PYTHON}-slim-bookworm AS build
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements/ requirements/
# Two environments: what runs, and what builds; the second stays behind.
RUN python -m venv --without-pip /opt/logfanout \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --only-binary :all: --require-hashes -r requirements/build.txt \
    && /opt/build/bin/pip --python /opt/logfanout/bin/python install --only-binary :all: --require-hashes \
        -r requirements/run.txt -r requirements/image.txt
COPY pyproject.toml README.md ./
COPY src/ src/
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/build/bin/pip --python /opt/logfanout/bin/python install --no-deps dist/*.whl
COPY --chmod=755 deploy/image/healthcheck.py /opt/logfanout/bin/healthcheck

# ── What is in it, in CycloneDX: docker build --target sbom --output . ──────────────────────────────────────────────────
FROM build AS listed
RUN python -m venv /opt/sbom \
    && /opt/sbom/bin/pip install --only-binary :all: --require-hashes -r requirements/sbom.txt \
    && /opt/sbom/bin/cyclonedx-py environment --output-reproducible --output-format JSON \
        --pyproject pyproject.toml --output-file /sbom.cdx.json /opt/logfanout/bin/python

FROM scratch AS sbom
COPY --from=listed /sbom.cdx.json /

# ── The image ───────────────────────────────────────────────────────────────────────────────────────────────────────────
FROM python:${PYTHON}-slim-bookworm
ARG PYTHON
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="logfanout" \
      org.opencontainers.image.description="Delivers the logs a platform collects in S3 to each tenant's own CloudWatch Logs" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="python:${PYTHON}-slim-bookworm"
# The base has a pip, and its standard library comes without bytecode, which a read-only root could never keep: each start
# would compile it anew.
RUN python -m pip uninstall --yes --root-user-action ignore pip \
    && rm -rf /usr/local/lib/python*/ensurepip \
    && python -m compileall -q -j 0 "/usr/local/lib/python${PYTHON}"
COPY --from=build /opt/logfanout /opt/logfanout
COPY --from=listed /sbom.cdx.json /usr/share/doc/logfanout/sbom.cdx.json
ENV PATH=/opt/logfanout/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# No name, a number: Kubernetes' runAsNonRoot can only check a number.
USER 65532:65532
EXPOSE 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["healthcheck"]
# The kernel gives process 1 no default for a signal: a SIGTERM that came while Python still starts would be ignored, and
# the task killed half a minute later. And what `kubectl exec` or ECS Exec leaves behind is process 1's to reap. So that is
# dumb-init, which comes from the lock as a wheel for either architecture. It tells its child alone: the supervisor tells its own.
ENTRYPOINT ["dumb-init", "--single-child", "--", "logfanout"]
