# Proconsul, for servers and agents alike: docker build -t proconsul .
ARG BASE=node:22-alpine

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json LICENSE ./
RUN npm ci --no-audit --no-fund
COPY lib lib
COPY server server
COPY agent agent
COPY sidecar sidecar
COPY client client
COPY xds xds
COPY kubernetes kubernetes
COPY cli cli
COPY web web
COPY pack pack
RUN npm run build

FROM ${BASE}
ENV NODE_ENV=production
COPY --from=build /app/package.json /app/
COPY --from=build /app/dist /app/dist
COPY bin/proconsul /app/bin/
COPY pack/docker-entry /app/pack/
# PID 1 has to collect what scripts leave behind, and Node does not. Debian has setpriv already.
RUN (command -v tini && command -v setpriv) \
  || apk add --no-cache tini setpriv \
  || (apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*)
RUN ln -s /app/bin/proconsul /usr/local/bin/proconsul \
  && mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8500 8600/tcp 8600/udp
# A refusal (403, under access control) is an answer as well.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8500/v1/agent/self').then((r)=>process.exit(r.status<500?0:1),()=>process.exit(1))"]
ENTRYPOINT ["tini", "--", "/app/pack/docker-entry"]
CMD ["agent", "-dev", "-client=0.0.0.0"]
