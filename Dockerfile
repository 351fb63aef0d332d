# One image for every part: gateway, shipper, watch, console, load and harness differ in their commands alone.
# BASE may be any image with python3 (3.11 or newer) and its venv, such as logquake-base:bookworm, which
# `logquake servers images` makes on a machine that reaches no image registry.
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
RUN python3 -m venv /opt/logquake
WORKDIR /source
COPY constraints.txt pyproject.toml README.md LICENSE ./
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_CONSTRAINT=constraints.txt
# What it depends on, from an empty package of its name: a layer that changes of the source leave as it is.
RUN mkdir -p harness logging_system scenarios docs/tutorial docs/how-to docs/reference docs/explanation \
 && echo '__version__ = "0"' > harness/__init__.py \
 && /opt/logquake/bin/pip install ".[alerts,analytics,gateway,keys,load,masking,opentelemetry]"
COPY harness harness
COPY logging_system logging_system
COPY scenarios scenarios
COPY docs docs
RUN /opt/logquake/bin/pip install --no-deps --force-reinstall .

FROM ${BASE}
# Numbers, so that Kubernetes' runAsNonRoot can tell, and folders that a new volume takes its owner from.
RUN for folder in spool secrets work; do mkdir -p "/var/lib/logquake/$folder"; done \
 && chown -R 10001:10001 /var/lib/logquake && chmod -R 0700 /var/lib/logquake/*
COPY --from=build /opt/logquake /opt/logquake
COPY containers/composed.yaml containers/attached_default.yaml /etc/logquake/
ENV PATH=/opt/logquake/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp
USER 10001:10001
WORKDIR /var/lib/logquake/work
CMD ["logquake", "--help"]
