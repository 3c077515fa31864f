FROM python:3.11-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="online-sentry" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY constraints.txt /tmp/constraints.txt
COPY --from=build /wheels /tmp/wheels
RUN pip install --no-cache-dir --constraint /tmp/constraints.txt /tmp/wheels/*.whl \
 && rm -r /tmp/wheels /tmp/constraints.txt \
 && useradd --system --uid 9117 --home-dir /data --create-home sentry
ENV PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
USER 9117
# sentry.yaml, the sites/ folder beside it, and the database: `store: sqlite:////data/sentry.db`.
WORKDIR /data
VOLUME ["/data"]
# In a container the agent must listen on all addresses: `web: {listen: "0.0.0.0:9117", token_file: web.token}`.
EXPOSE 9117
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9117/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["online-sentry"]
CMD ["--config", "/data/sentry.yaml", "run"]
