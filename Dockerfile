# One image with the services and `writ`, for linux/amd64 and linux/arm64:
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg REVISION=$(git rev-parse --short HEAD) -t writ .
# REVISION is the commit that metrics, traces and /status show beside the version.

FROM rust:1-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Downloaded crates and build results are cached between builds, per platform.
ARG TARGETARCH
ARG REVISION
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,id=writ-target-${TARGETARCH},sharing=locked \
    WRIT_REVISION=${REVISION} cargo build --release --locked --workspace --bins \
    && mkdir -p /image/usr/local/bin \
    && find target/release -maxdepth 1 -type f -executable -name 'writ*' -exec cp {} /image/usr/local/bin/ \; \
    && strip /image/usr/local/bin/*
# Only the programs and the few libraries they load: no shell, no package manager, nothing else to keep up to date.
RUN ldd /image/usr/local/bin/* | grep -oE '/[^ :)]+\.so[^ ]*' | sort -u | xargs cp --parents --dereference -t /image \
    && mkdir -p /image/etc && echo 'hosts: files dns' > /image/etc/nsswitch.conf \
    # A tmpfs takes the mode of the folder it covers. Without the folder, a restarted container could not write there.
    && mkdir -m 1777 /image/tmp

FROM scratch
COPY --from=build /image/ /
ARG VERSION=0.1.0
ARG REVISION
LABEL org.opencontainers.image.title="Writ" \
      org.opencontainers.image.description="Multi-region identity and authorization: the services and the command line" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/writ-authz/writ" \
      org.opencontainers.image.documentation="https://github.com/writ-authz/writ/blob/main/README.md" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION:-unknown}"
ENV PATH=/usr/local/bin
# An unprivileged user. docker-compose.yml gives each service its own, so that none can read another's secrets.
USER 10000:10000
# Requests /readyz on the port of WRIT_OPERATIONS_LISTEN.
HEALTHCHECK --interval=5s --timeout=5s --retries=12 CMD ["writ", "probe"]
# Says what there is; the services are writ-identity, writ-authorization, writ-projector, writ-audit and
# writ-mirror-watch.
CMD ["writ", "--help"]
