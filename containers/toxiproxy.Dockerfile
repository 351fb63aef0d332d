# Toxiproxy, which its makers publish under no plain name, from its Go module. Where no image of Go can be had,
# `logquake servers images toxiproxy` makes the same image from the binary that is installed.
ARG GO=golang:1.24
ARG BASE=python:3.12-slim

FROM ${GO} AS build
RUN CGO_ENABLED=0 go install github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0

FROM ${BASE}
COPY --from=build /go/bin/server /toxiproxy
USER 65534:65534
EXPOSE 8474
ENTRYPOINT ["/toxiproxy"]
CMD ["-host=0.0.0.0"]
