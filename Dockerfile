# The current LTS, in both stages: "Node" in .github/CONTRIBUTING.md.
FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY .config ./.config
COPY src ./src
RUN npm run build

FROM node:26-slim
# Beyond loopback the service starts only with CAMPAIGND_TOKENS_FILE, or with CAMPAIGND_ALLOW_ANONYMOUS=true, by which everybody who
# reaches the port may do anything. The image sets neither: the container must be given one. The root file system may be read-only.
# The C library would keep what large requests and responses have left behind: src/runtime/README.md.
ENV MALLOC_MMAP_THRESHOLD_=32768
ENV NODE_ENV=production CAMPAIGND_HOST=0.0.0.0 CAMPAIGND_PORT=8080 CAMPAIGND_DATA_DIR=/data
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY --from=build /app/dist ./dist
RUN install -d -o node -g node -m 0700 /data
VOLUME /data
USER node
EXPOSE 8080
# After a kill the next start waits for the lock of the old container to become stale.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.CAMPAIGND_PORT + '/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
